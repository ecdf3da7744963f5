package api

// PhoneAnswer is what one desk phone said to a wish.
type PhoneAnswer struct {
	Contact string `json:"contact" doc:"its address, as it gave it" example:"sip:201@192.168.1.21:5060"`
	Agent   string `json:"agent,omitempty" doc:"what it calls itself: make, model, firmware"`
	Answer  string `json:"answer" enum:"taken,refused,silent" doc:"refused: it knows no such wish, or will not"`
	Code    int    `json:"code,omitempty" doc:"SIP code of its answer; absent where it was silent" example:"200"`
}

// Answers of a phone.
const (
	Taken   = "taken"
	Refused = "refused"
	Silent  = "silent"
)
