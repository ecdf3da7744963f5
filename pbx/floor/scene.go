package floor

import (
	"slices"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
)

// Scene is a floor without calls, whole: State and what a start finds anew. A floor made of a scene
// decides like the one that it was taken from. It is plain data.
type Scene struct {
	State  State        `json:"state"`
	Lines  []LineScene  `json:"lines,omitempty"`  // ordered by name
	Phones []PhoneScene `json:"phones,omitempty"` // ordered by extension; those that can ring
	Locks  []LockScene  `json:"locks,omitempty"`  // agents whose PIN was typed wrongly
	Files  []FileScene  `json:"files,omitempty"`  // recordings that are being finished
	Calls  uint64       `json:"calls"`            // counters of ids
	Legs   uint64       `json:"legs"`
	Refs   uint64       `json:"refs"`
}

type (
	// LineScene is a line as it stands.
	LineScene struct {
		Name   string     `json:"name"`
		Up     bool       `json:"up"`
		Traits hal.Traits `json:"traits"`
		Last   uint64     `json:"last,omitempty"` // the leg that was dialled on it last
	}
	// PhoneScene is an extension that can ring.
	PhoneScene struct {
		Extension string `json:"extension"`
		Contacts  int    `json:"contacts"`
	}
	// LockScene is an agent number with wrong PINs in a row, or locked for them.
	LockScene struct {
		Agent string    `json:"agent"`
		Wrong int       `json:"wrong"`
		Until time.Time `json:"until,omitzero"`
	}
	// FileScene is a recording that is not safe yet.
	FileScene struct {
		Ref  hal.Ref `json:"ref"`
		Call call.ID `json:"call"`
		Name string  `json:"name"`
	}
)

// Scene takes the floor's picture. It is whole only while the floor is not Busy.
func (f *Floor) Scene() Scene {
	s := Scene{State: f.State(), Calls: f.nCalls, Legs: f.nLegs, Refs: f.nRefs}
	for name, l := range f.lines {
		s.Lines = append(s.Lines, LineScene{name, l.up, l.traits, l.dialled})
	}
	slices.SortFunc(s.Lines, func(a, b LineScene) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range f.phones {
		if p.contacts > 0 {
			s.Phones = append(s.Phones, PhoneScene{p.extension, p.contacts})
		}
	}
	slices.SortFunc(s.Phones, func(a, b PhoneScene) int { return strings.Compare(a.Extension, b.Extension) })
	for _, a := range f.agents {
		if a.wrong > 0 || !a.locked.IsZero() {
			s.Locks = append(s.Locks, LockScene{a.number, a.wrong, a.locked})
		}
	}
	for _, r := range f.files {
		s.Files = append(s.Files, FileScene{r.ref, r.call, r.name})
	}
	return s
}

// FromScene makes the floor that s was taken from, with doc in force.
func FromScene(doc *config.Doc, s Scene) *Floor {
	f := New(doc, s.State)
	f.nCalls, f.nLegs, f.nRefs = s.Calls, s.Legs, s.Refs
	for _, l := range s.Lines {
		f.lines[l.Name] = &line{up: l.Up, traits: l.Traits, dialled: l.Last}
		if l.Up && l.Traits.Inside {
			f.inside = l.Name
		}
	}
	for _, p := range s.Phones {
		f.phone(p.Extension).contacts = p.Contacts
	}
	for _, l := range s.Locks {
		if a := f.agent(l.Agent); a != nil {
			a.wrong, a.locked = l.Wrong, l.Until
		}
	}
	for _, r := range s.Files {
		f.files = append(f.files, file{r.Ref, r.Call, r.Name})
	}
	for _, a := range f.agents {
		f.offerable(a)
	}
	return f
}
