package number

import (
	"testing"

	"branchline/hal"
	"branchline/pbx/config"
)

func plan(country, area string) Plan {
	return Of(&config.Doc{Site: config.Site{Country: country}, Numbers: config.Numbers{Area: area}})
}

func TestNumbersAreReadByTheRulesOfTheCountry(t *testing.T) {
	for _, c := range []struct {
		country, area string
		raw, world    hal.Number
		to            string
	}{
		{"DE", "30", "030 901820", "+4930901820", config.ToLocal},
		{"DE", "30", "901820", "+4930901820", config.ToLocal},
		{"DE", "", "901820", "", config.ToLocal},
		{"DE", "30", "089123456", "+4989123456", config.ToNational},
		{"DE", "30", "+49 (0)89 123456", "+4989123456", config.ToNational},
		{"DE", "30", "004989123456", "+4989123456", config.ToNational},
		{"DE", "30", "015112345678", "+4915112345678", config.ToMobile},
		{"DE", "30", "08001234567", "+498001234567", config.ToTollFree},
		{"DE", "30", "0900 1 234567", "+499001234567", config.ToPremium},
		{"DE", "30", "01371234567", "+491371234567", config.ToPremium},
		{"DE", "30", "01033030901820", "+491033030901820", config.ToPremium}, // call by call
		{"DE", "30", "11833", "", config.ToPremium},
		{"DE", "30", "116117", "", config.ToTollFree},
		{"DE", "30", "112", "", config.ToEmergency},
		{"DE", "30", "110", "", config.ToEmergency},
		{"DE", "30", "0110", "", config.ToNational},
		{"DE", "30", "0044 20 7946 0018", "+442079460018", config.ToInternational},
		{"DE", "30", "0088216123456", "+88216123456", config.ToPremium}, // satellite
		{"DE", "30", "0097912345678", "+97912345678", config.ToPremium},
		{"DE", "30", "0080012345678", "+80012345678", config.ToTollFree},
		{"DE", "30", "*21*0190123456#", "", config.ToPremium}, // a code that would forward the SIM
		{"DE", "30", "0935", "", config.ToNational},           // too short for a number
		{"DE", "30", "", "", ""},

		{"US", "212", "911", "", config.ToEmergency},
		{"US", "212", "5550123", "+12125550123", config.ToLocal},
		{"US", "212", "2125550123", "+12125550123", config.ToLocal},
		{"US", "212", "1 (415) 555-0123", "+14155550123", config.ToNational},
		{"US", "212", "18005550123", "+18005550123", config.ToTollFree},
		{"US", "212", "19005550123", "+19005550123", config.ToPremium},
		{"US", "212", "18765550123", "+18765550123", config.ToInternational}, // Jamaica
		{"US", "212", "0114930901820", "+4930901820", config.ToInternational},
		{"US", "212", "411", "", config.ToPremium},

		{"CN", "10", "110", "", config.ToEmergency},
		{"CN", "10", "120", "", config.ToEmergency},
		{"CN", "10", "13800138000", "+8613800138000", config.ToMobile},
		{"CN", "10", "013800138000", "+8613800138000", config.ToMobile},
		{"CN", "10", "+86 138 0013 8000", "+8613800138000", config.ToMobile},
		{"CN", "10", "65551234", "+861065551234", config.ToLocal},
		{"CN", "10", "02165551234", "+862165551234", config.ToNational},
		{"CN", "10", "4008123456", "+864008123456", config.ToNational},
		{"CN", "10", "8008101234", "+868008101234", config.ToTollFree},
		{"CN", "10", "16895001", "", config.ToPremium},
		{"CN", "10", "0085221234567", "+85221234567", config.ToInternational}, // Hong Kong

		{"GB", "20", "999", "", config.ToEmergency},
		{"GB", "20", "020 7946 0018", "+442079460018", config.ToLocal},
		{"GB", "20", "79460018", "+442079460018", config.ToLocal},
		{"GB", "20", "+44 (0)161 496 0000", "+441614960000", config.ToNational},
		{"GB", "20", "07400123456", "+447400123456", config.ToMobile},
		{"GB", "20", "07012345678", "+447012345678", config.ToPremium},
		{"GB", "20", "07781123456", "+447781123456", config.ToInternational}, // Guernsey
		{"GB", "20", "08001111", "", config.ToTollFree},
		{"GB", "20", "0909 8790000", "+449098790000", config.ToPremium},
		{"GB", "20", "118500", "", config.ToPremium},

		{"FR", "", "01 70 18 99 00", "+33170189900", config.ToNational},
		{"FR", "", "0612345678", "+33612345678", config.ToMobile},
		{"FR", "", "0899123456", "+33899123456", config.ToPremium},
		{"FR", "", "15", "", config.ToEmergency},
		{"ES", "", "912345678", "+34912345678", config.ToNational},
		{"ES", "", "612345678", "+34612345678", config.ToMobile},
		{"ES", "", "806123456", "+34806123456", config.ToPremium},
		{"IT", "", "0612345678", "+390612345678", config.ToNational},
		{"IT", "", "+39 06 12345678", "+390612345678", config.ToNational},
		{"IT", "", "3331234567", "+393331234567", config.ToMobile},
		{"JP", "", "0312345678", "+81312345678", config.ToNational},
		{"JP", "", "09012345678", "+819012345678", config.ToMobile},
		{"JP", "", "0990123456", "+81990123456", config.ToPremium},
		{"JP", "", "0104930901820", "+4930901820", config.ToInternational},
		{"AU", "2", "000", "", config.ToEmergency},
		{"AU", "2", "0291234567", "+61291234567", config.ToLocal},
		{"AU", "2", "0412345678", "+61412345678", config.ToMobile},
		{"AU", "2", "1902123456", "+611902123456", config.ToPremium},
		{"AU", "2", "1800123456", "+611800123456", config.ToTollFree},
		{"IN", "", "9812345678", "+919812345678", config.ToMobile},
		{"RU", "", "84951234567", "+74951234567", config.ToNational},
		{"RU", "", "89161234567", "+79161234567", config.ToMobile},
		{"RU", "", "87271234567", "+77271234567", config.ToInternational}, // Kazakhstan
		{"RU", "", "8104930901820", "+4930901820", config.ToInternational},
		{"PL", "", "221234567", "+48221234567", config.ToNational},
		{"PL", "", "700123456", "+48700123456", config.ToPremium},
		{"BR", "", "0115551234567", "+55115551234567", config.ToNational},

		{"XX", "", "+4930901820", "+4930901820", config.ToInternational},
		{"XX", "", "004930901820", "", config.ToInternational},
		{"XX", "", "030901820", "", config.ToNational},
		{"XX", "", "112", "", config.ToEmergency},
	} {
		got := plan(c.country, c.area).Read(c.raw)
		if got.World != c.world || got.To != c.to {
			t.Errorf("%s (%s) %q is %q, %s; want %q, %s", c.country, c.area, c.raw, got.World, got.To, c.world, c.to)
		}
	}
}

func TestALineGetsNumbersAsItWantsThem(t *testing.T) {
	for _, c := range []struct {
		country                      string
		raw, dialled, national, e164 hal.Number
	}{
		{"DE", "901820", "901820", "030901820", "+4930901820"},
		{"DE", "0044 20 79460018", "00442079460018", "00442079460018", "+442079460018"},
		{"DE", "112", "112", "112", "112"},
		{"US", "2125550123", "2125550123", "12125550123", "+12125550123"},
		{"US", "0114930901820", "0114930901820", "0114930901820", "+4930901820"},
		{"CN", "+8613800138000", "+8613800138000", "13800138000", "+8613800138000"},
		{"CN", "+861065551234", "+861065551234", "01065551234", "+861065551234"},
		{"IT", "+390612345678", "+390612345678", "0612345678", "+390612345678"},
		{"RU", "+74951234567", "+74951234567", "84951234567", "+74951234567"},
	} {
		area := ""
		if c.country == "DE" {
			area = "30"
		}
		p := plan(c.country, area)
		n := p.Read(c.raw)
		for form, want := range map[string]hal.Number{
			"": c.dialled, config.FormDialled: c.dialled, config.FormNational: c.national, config.FormE164: c.e164,
		} {
			if got := p.As(n, form); got != want {
				t.Errorf("%s: %q in the form %q is %q, want %q", c.country, c.raw, form, got, want)
			}
		}
	}
}

func TestTheSiteKnowsBetterThanTheCountry(t *testing.T) {
	doc := &config.Doc{Site: config.Site{Country: "XX"}, Numbers: config.Numbers{
		Country: "423", Trunk: config.None, International: "00", Emergency: []string{"117", "118"}, Premium: []string{"900"},
	}}
	p := Of(doc)
	for raw, want := range map[hal.Number]string{"117": config.ToEmergency, "112": config.ToLocal, "+4239001234": config.ToPremium} {
		if got := p.Read(raw); got.To != want {
			t.Errorf("%s is %+v, want %s", raw, got, want)
		}
	}
	if got := p.Local("+4232345678"); got != "2345678" {
		t.Errorf("dialled here it is %s", got)
	}
}

func TestANumberOfTheWorldStaysTheSameHoweverItIsWritten(t *testing.T) {
	for _, country := range []string{"US", "CA", "DE", "CN", "GB", "FR", "ES", "IT", "JP", "AU", "IN", "BR", "RU", "PL"} {
		p := plan(country, "")
		for _, world := range []hal.Number{"+4930901820", "+12125550123", "+442079460018", "+8613800138000", "+390612345678", "+61412345678", "+74951234567"} {
			dialled := p.Local(world)
			if got := p.Read(dialled).World; got != world {
				t.Errorf("in %s %s is dialled %s, which is read as %q", country, world, dialled, got)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "+", "+49", "0049", "030901820", "*21#", "+0", "1", "٣", "\x00", "+49(0)", "000000000000000000000"} {
		f.Add(s)
	}
	plans := []Plan{{}, plan("DE", "30"), plan("US", "212"), plan("CN", "10"), plan("IT", ""), plan("RU", ""), plan("XX", "")}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range plans {
			n := p.Read(hal.Number(s))
			if n.World != "" {
				if len(n.World) < 8 || len(n.World) > 16 || n.World[0] != '+' {
					t.Fatalf("%q is read as %q", s, n.World)
				}
				if again := p.Read(n.World); again.World != n.World {
					t.Fatalf("%q is %q, and that is %q", s, n.World, again.World)
				}
			}
			for _, form := range config.Forms() {
				p.As(n, form)
			}
		}
	})
}
