package api

// Problem is every answer that says no: RFC 9457 with what to do about it. It is an error, so that
// a handler returns it and a client hands it on.
type Problem struct {
	Type   string `json:"type" doc:"always about:blank: the status says it all"`
	Title  string `json:"title" example:"Not Found"`
	Status int    `json:"status" example:"404"`
	Detail string `json:"detail" doc:"what is wrong, in words"`
	Cure   string `json:"cure,omitempty" doc:"what to do about it"`

	DetailZH string `json:"detail_zh,omitempty" doc:"detail in Chinese, of a configuration"`
	CureZH   string `json:"cure_zh,omitempty" doc:"cure in Chinese, where detail_zh is there"`

	Faults []Fault `json:"faults,omitempty" doc:"each single thing that is wrong, with its place"`
}

// Fault is one thing that is wrong in what was sent: a parameter, or a place in a configuration.
type Fault struct {
	Path   string `json:"path" doc:"where: lines[2].slot, query.limit"`
	What   string `json:"what" doc:"what is wrong there"`
	Cure   string `json:"cure,omitempty" doc:"what to do about it"`
	Line   int    `json:"line,omitempty" doc:"line of the document, from 1"`
	Column int    `json:"column,omitempty" doc:"column of the document, from 1"`

	Warning bool `json:"warning,omitempty" doc:"it can be applied all the same"`

	WhatZH string `json:"what_zh,omitempty" doc:"what, in Simplified Chinese; each fault of a configuration has it"`
	CureZH string `json:"cure_zh,omitempty" doc:"cure, in Simplified Chinese"`
}

// Error is the detail with its cure.
func (p *Problem) Error() string {
	if p.Cure == "" {
		return p.Detail
	}
	return p.Detail + "; " + p.Cure
}

// GetStatus is the HTTP status that carries p.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457, clause 3.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
