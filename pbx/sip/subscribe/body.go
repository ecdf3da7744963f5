package subscribe

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"strings"

	"branchline/hal"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
)

// dialogInfo is the document of RFC 4235 4. It is whole each time: a phone that missed one is right
// again with the next.
type dialogInfo struct {
	XMLName xml.Name     `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
	Version uint32       `xml:"version,attr"`
	State   string       `xml:"state,attr"`
	Entity  string       `xml:"entity,attr"`
	Dialogs []dialogItem `xml:"dialog"`
}

type dialogItem struct {
	ID        string `xml:"id,attr"`
	CallID    string `xml:"call-id,attr,omitempty"`
	LocalTag  string `xml:"local-tag,attr,omitempty"`
	RemoteTag string `xml:"remote-tag,attr,omitempty"`
	Direction string `xml:"direction,attr,omitempty"`
	State     Stage  `xml:"state"`
	Local     *party `xml:"local"`
	Remote    *party `xml:"remote"`
}

type party struct {
	Identity identity `xml:"identity"`
	Target   target   `xml:"target"`
}

type identity struct {
	Display string `xml:"display,attr,omitempty"`
	URI     string `xml:",chardata"`
}

type target struct {
	URI    string  `xml:"uri,attr"`
	Params []param `xml:"param"`
}

type param struct {
	Name  string `xml:"pname,attr"`
	Value string `xml:"pval,attr"`
}

// presence is the document of RFC 3863 4.
type presence struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:pidf presence"`
	Entity  string   `xml:"entity,attr"`
	Tuple   tuple    `xml:"tuple"`
	Note    string   `xml:"note,omitempty"`
}

type tuple struct {
	ID    string `xml:"id,attr"`
	Basic string `xml:"status>basic"`
}

// dialogs is the state of l for a phone that knows us as at. Tags are those of the phone that l is of:
// who wants to take its call sends INVITE to us with Replaces: call-id;to-tag=remote-tag;from-tag=local-tag.
func dialogs(l Lamp, at netip.AddrPort, version uint32, named func(hal.LegID) (leg.Identity, bool)) []byte {
	us := header.MakeURI(l.Name, at).Text
	doc := dialogInfo{Version: version, State: "full", Entity: us}
	for _, t := range l.Talks[:min(len(l.Talks), maxTalks)] {
		d := dialogItem{ID: t.ID, State: t.Stage, Direction: "initiator",
			Local: &party{identity{l.Note, us}, target{URI: us}}, Remote: other(t, at)}
		if t.Incoming {
			d.Direction = "recipient"
		}
		if t.Held { // RFC 4235 4.1.6.2, RFC 3840: it renders no sound
			d.Local.Target.Params = []param{{"+sip.rendering", "no"}}
		}
		if n, ok := named(t.Leg); ok {
			d.CallID, d.LocalTag, d.RemoteTag = n.CallID, n.Theirs, n.Ours
		}
		doc.Dialogs = append(doc.Dialogs, d)
	}
	if len(doc.Dialogs) == 0 { // some phones take a document without a dialog for no news at all
		doc.Dialogs = []dialogItem{{ID: l.Name, State: "terminated"}}
	}
	return document(doc)
}

func other(t Talk, at netip.AddrPort) *party {
	uri := "sip:anonymous@anonymous.invalid" // RFC 3323 4.1.1.3
	if t.Other != "" {
		uri = header.MakeURI(string(t.Other), at).Text
	}
	return &party{identity{clip(t.Name), uri}, target{URI: uri}}
}

// pidf is whether l can take a call.
func pidf(l Lamp, at netip.AddrPort) []byte {
	basic := "closed"
	if l.Up {
		basic = "open"
	}
	return document(presence{Entity: header.MakeURI(l.Name, at).Text, Tuple: tuple{"box", basic}, Note: l.Note})
}

func document(v any) []byte {
	b, err := xml.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("subscribe: %v", err)) // strings and numbers always marshal
	}
	return append([]byte(xml.Header), b...)
}

// Summary is how many messages wait for extension: RFC 3842 5.2.
func Summary(extension string, m Mail, at netip.AddrPort) []byte {
	waiting := "no"
	if m.New > 0 {
		waiting = "yes"
	}
	return fmt.Appendf(nil, "Messages-Waiting: %s\r\nMessage-Account: %s\r\nVoice-Message: %d/%d (0/0)\r\n",
		waiting, header.MakeURI(extension, at).Text, m.New, m.Old)
}

// clip bounds a name; a display shows some twenty characters.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
