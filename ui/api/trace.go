package api

import "time"

// SIPMessage is one message that went between the box and a SIP peer.
type SIPMessage struct {
	No      uint64    `json:"no" doc:"grows with each message; from 1 at each start of the box"`
	At      time.Time `json:"at" doc:"to the microsecond"`
	Line    string    `json:"line"`
	Out     bool      `json:"out" doc:"the box sent it"`
	Network string    `json:"network" enum:"udp,tcp,tls"`
	Local   string    `json:"local" doc:"address of the box"`
	Remote  string    `json:"remote" doc:"address of the peer"`
	What    string    `json:"what" doc:"INVITE, 200 OK …" example:"INVITE"`
	CSeq    string    `json:"cseq,omitempty" example:"1 INVITE"`
	CallID  string    `json:"call_id,omitempty" doc:"SIP's own, one for each leg"`
	From    string    `json:"from,omitempty" doc:"user of the header"`
	To      string    `json:"to,omitempty" doc:"user of the header"`
	Target  string    `json:"target,omitempty" doc:"user that a request is for"`
	Why     string    `json:"why,omitempty" doc:"of a Reason or Warning header"`
	SDP     string    `json:"sdp,omitempty" doc:"codecs, address and direction of the sound" example:"PCMU 192.0.2.7:4000 sendrecv"`
	Leg     string    `json:"leg,omitempty" doc:"the leg that it belongs to"`
	Peer    string    `json:"peer,omitempty" doc:"extension or trunk at the far end"`
	Party   int       `json:"party" doc:"in a ladder: of its parties, from 0"`
	Again   bool      `json:"again,omitempty" doc:"in a ladder: the same has gone the same way before"`
	Text    string    `json:"text" doc:"the message as it stood on the wire, without what could be misused"`
}

// Party is a far end of a ladder.
type Party struct {
	Peer    string `json:"peer" doc:"extension or trunk"`
	Address string `json:"address"`
}

// Ladder is what the box and the SIP peers of one call said to each other.
type Ladder struct {
	Call     string       `json:"call"`
	Parties  []Party      `json:"parties"`
	Messages []SIPMessage `json:"messages" doc:"oldest first; what is no longer kept is not in it"`
}

// Capturing says that sound is being kept.
type Capturing struct {
	Call  string    `json:"call"`
	Until time.Time `json:"until"`
	Legs  int       `json:"legs" doc:"whose packets are kept"`
}
