package api

import "time"

// GuardSource is a source that something speaks against at the SIP door.
type GuardSource struct {
	Line   string         `json:"line" doc:"at whose door: the desk phones', or a trunk's" example:"phones"`
	Source string         `json:"source" doc:"an address, or the /64 network of IPv6 ones" example:"203.0.113.7"`
	Counts map[string]int `json:"counts" doc:"by cause since it was first heard of: flood (messages over its limit), scan (attack tools), rubbish (no SIP), wrong (unknown user or wrong password), outside (requests from where nobody may come in: sign-ins from outside the house, anybody but its servers at a trunk), crowd (connections over its limit), knocks (messages while it was kept away)"`
	Heard  time.Time      `json:"heard" doc:"when it last did any of that"`
	Until  *time.Time     `json:"until,omitempty" doc:"kept away until then; missing: it is not"`
	ByHand bool           `json:"by_hand,omitempty" doc:"a person keeps it away"`
	Phones int            `json:"phones,omitempty" doc:"phones that are signed in there: they stay"`
}

// GuardBan keeps a source away.
type GuardBan struct {
	Minutes int `json:"minutes" minimum:"1" maximum:"525600" default:"1440"`
}
