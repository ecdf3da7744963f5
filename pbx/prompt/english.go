package prompt

import "fmt"

func englishMessages() [NumMessages]string {
	return [NumMessages]string{
		AskAgent: "agent-user", AskPIN: "agent-pass", SignedOut: "agent-loggedoff",
		NowReady: "activated", NowBusy: "de-activated",
		WrongLogin: "agent-incorrect", NotHere: "pbx-invalid", Goodbye: "vm-goodbye",
		SwitchedOn: "activated", SwitchedOff: "de-activated", NotAllowed: "pbx-invalid",
	}
}

// enParts are the recordings of the grammar beside digits and weekdays.
func enParts() []string {
	parts := []string{
		"agent-loginok", "hours", "minute", "minutes", "second", "seconds",
		"digits/oh", "digits/a-m", "digits/p-m",
	}
	for n := 1; n <= 20; n++ {
		parts = append(parts, enSmall(n), fmt.Sprintf("digits/h-%d", n))
	}
	for n := 30; n <= 90; n += 10 {
		parts = append(parts, enSmall(n), fmt.Sprintf("digits/h-%d", n))
	}
	for m := range 12 {
		parts = append(parts, enMonth(m+1))
	}
	for _, s := range enScales() {
		parts = append(parts, "digits/"+s.word, "digits/h-"+s.word)
	}
	return parts
}

type enScale struct {
	size int64
	word string
}

func enScales() [4]enScale {
	return [4]enScale{{1_000_000_000, "billion"}, {1_000_000, "million"}, {1000, "thousand"}, {100, "hundred"}}
}

func enSmall(n int) string { return fmt.Sprintf("digits/%d", n) }

// enMonth is the recording of a month, 1 to 12: they are counted from 0.
func enMonth(m int) string { return fmt.Sprintf("digits/mon-%d", m-1) }

// enNumber says 0 ≤ n < maxNumber.
func enNumber(n int64) (names []string) {
	if n == 0 {
		return []string{enSmall(0)}
	}
	for _, s := range enScales() {
		if n >= s.size {
			names = append(append(names, enNumber(n/s.size)...), "digits/"+s.word)
			n %= s.size
		}
	}
	if n > 20 {
		names = append(names, enSmall(int(n/10*10)))
		n %= 10
	}
	if n > 0 {
		names = append(names, enSmall(int(n)))
	}
	return names
}

// enOrdinal says 1 ≤ n < maxNumber: all but the last word as in the number.
func enOrdinal(n int64) []string {
	names := enNumber(n)
	last := &names[len(names)-1]
	*last = "digits/h-" + (*last)[len("digits/"):]
	return names
}

// enTime: nine A.M., two oh five P.M., twelve thirty P.M.
func enTime(hour, minute int) []string {
	half := "digits/a-m"
	if hour >= 12 {
		half = "digits/p-m"
	}
	names := []string{enSmall((hour+11)%12 + 1)}
	switch {
	case minute == 0:
	case minute < 10:
		names = append(names, "digits/oh", enSmall(minute))
	default:
		names = append(names, enNumber(int64(minute))...)
	}
	return append(names, half)
}

// enDate: November twenty second twenty twenty six.
func enDate(year, month, day int) []string {
	names := append([]string{enMonth(month)}, enOrdinal(int64(day))...)
	return append(names, enYear(int64(year))...)
}

// enYear: nineteen hundred, nineteen oh five, two thousand six, twenty twenty six.
func enYear(year int64) []string {
	century, rest := year/100, year%100
	switch {
	case year < 1000 || year > 9999 || year%1000 < 10:
		return signed(year, enNumber)
	case rest == 0:
		return append(enNumber(century), "digits/hundred")
	case rest < 10:
		return append(enNumber(century), "digits/oh", enSmall(int(rest)))
	}
	return append(enNumber(century), enNumber(rest)...)
}

// enDuration: what is under two hours is said in minutes, for there is no recording of one hour.
func enDuration(seconds int64) (names []string) {
	hours, minutes := seconds/3600, seconds/60
	if hours >= 2 {
		names = append(signed(hours, enNumber), "hours")
		minutes -= 60 * hours
	}
	if minutes > 0 {
		names = append(names, enCount(minutes, "minute")...)
	}
	if s := seconds % 60; s > 0 || len(names) == 0 {
		names = append(names, enCount(s, "second")...)
	}
	return names
}

func enCount(n int64, unit string) []string {
	if n != 1 {
		unit += "s"
	}
	return append(enNumber(n), unit)
}
