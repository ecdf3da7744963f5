package config

import (
	"slices"
	"time"
)

// What a number may lead to: the words of Class.Allow and Deny.
const (
	ToInternal      = "internal"
	ToEmergency     = "emergency" // always allowed
	ToTollFree      = "tollfree"
	ToLocal         = "local"
	ToNational      = "national"
	ToMobile        = "mobile"
	ToInternational = "international"
	ToPremium       = "premium" // also what nobody knows the price of: satellites, codes of the network
)

// Destinations are the words above, the cheapest first.
func Destinations() []string {
	return []string{ToInternal, ToEmergency, ToTollFree, ToLocal, ToNational, ToMobile, ToInternational, ToPremium}
}

// None as a prefix in Numbers: there is none here, whatever is usual in the country.
const None = "none"

// Line.Form.
const (
	FormDialled  = "dialled"  // as the routes leave it
	FormE164     = "e164"     // +4930901820
	FormNational = "national" // 030901820, 0044…
)

// Forms are what Line.Form may be.
func Forms() []string { return []string{FormDialled, FormE164, FormNational} }

// Route.Pick.
const (
	PickInOrder    = "in-order"
	PickLeastUsed  = "least-used"
	PickRoundRobin = "round-robin"
)

// Picks are what Route.Pick may be.
func Picks() []string { return []string{PickInOrder, PickLeastUsed, PickRoundRobin} }

// Numbers is how people around the site dial. What is empty is as usual in Site.Country.
type Numbers struct {
	Country       string   `yaml:"country_code"`         // "49"
	Area          string   `yaml:"area_code"`            // of the site, without trunk prefix: "30"; "" where numbers are dialled whole
	Trunk         string   `yaml:"trunk_prefix"`         // before a number of another area: "0", or None
	International string   `yaml:"international_prefix"` // "00", or None
	Emergency     []string `yaml:"emergency"`            // these, in place of the country's
	Premium       []string `yaml:"premium"`              // further dear numbers: beginnings of national numbers, without trunk prefix
}

// Class says what its extensions may dial. Allow and Deny hold words of Destinations and beginnings of
// numbers, as "+44"; Deny comes first, and emergency numbers pass in any case. It also bounds where they
// may transfer and forward calls to.
type Class struct {
	Name  string   `yaml:"name"`
	Allow []string `yaml:"allow"`
	Deny  []string `yaml:"deny"`
}

// DefaultClass is the class of extensions that name none. A document may define it; else it is all but
// international and premium.
const DefaultClass = "default"

// Class is the class of that name. The built-in DefaultClass is there always; of any other that is not
// defined nothing is allowed.
func (d *Doc) Class(name string) Class {
	if name == "" {
		name = DefaultClass
	}
	if i := slices.IndexFunc(d.Classes, func(c Class) bool { return c.Name == name }); i >= 0 {
		return d.Classes[i]
	}
	if name != DefaultClass {
		return Class{Name: name}
	}
	return Class{Name: name, Allow: []string{ToInternal, ToTollFree, ToLocal, ToNational, ToMobile}}
}

// Forward is where the calls of an extension go; "" nowhere else.
type Forward struct {
	Always      string `yaml:"always"`
	Busy        string `yaml:"busy"` // also when the phone refuses, or DND is on
	NoAnswer    string `yaml:"no_answer"`
	Unreachable string `yaml:"unreachable"` // the phone has lost the box
}

// Calls are times of calls.
type Calls struct {
	Recall   time.Duration `yaml:"recall"`    // a transfer that nobody answers comes back; 0 never; default 30s
	NoAnswer time.Duration `yaml:"no_answer"` // ringing before Forward.NoAnswer; default 20s
	Park     time.Duration `yaml:"park"`      // a parked call comes back to who parked it; default 3m
}
