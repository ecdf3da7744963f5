package api

import "time"

// Certificate is the authority by which phones know the box. It holds nothing secret.
type Certificate struct {
	Name        string    `json:"name" doc:"what it calls itself" example:"Branchline 0a1b2c"`
	Fingerprint string    `json:"fingerprint" doc:"SHA-256, as phones and browsers show it"`
	Until       time.Time `json:"until" doc:"when it ends"`
	Addresses   []string  `json:"addresses,omitempty" doc:"where phones reach the box by TLS; none: it does not speak TLS" example:"192.168.1.10:5061"`
	PEM         string    `json:"pem" doc:"the certificate itself"`
}
