// Package prompt turns what the box wants to say into items to play.
//
// It is pure. A Language says messages of the box itself (Say, SignedIn), numbers, digits, times,
// dates and lengths of time, each put together from recorded parts by the grammar of the language.
// A flow's prompts are named by the owner and come from Files.
//
// It promises that every part that it names is in Recordings, and that images/prompts holds the
// words of each. Start at Language; the grammars are in english.go and chinese.go.
package prompt

import (
	"fmt"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/config"
)

// Message is something that the box itself says to a person at a desk phone.
type Message uint8

const (
	AskAgent   Message = iota // enter your agent number, then #
	AskPIN                    // enter your PIN, then #
	SignedOut                 // you are signed out
	NowReady                  // you are ready: calls will come
	NowBusy                   // you are not ready: no calls will come
	WrongLogin                // agent number or PIN is wrong
	NotHere                   // nobody is signed in at this phone
	Goodbye
	SwitchedOn  // what the code is for holds from now on
	SwitchedOff // it holds no more
	NotAllowed  // it cannot be: no such number, or this phone may not call it
	NumMessages
)

// Language is one that the box speaks. The zero value is English.
type Language uint8

const (
	English Language = iota // in the recordings of Debian's asterisk-core-sounds
	Chinese                 // Mandarin as in the PRC, in recordings of our own names
)

// maxNumber bounds the numbers that are spoken as such; longer ones are said digit by digit.
const maxNumber = 1_000_000_000_000

// In gives the language of a document's site.language, English where there is no other.
func In(tag string) Language {
	if tag == config.LanguageChinese {
		return Chinese
	}
	return English
}

// Say gives the items of m.
func (l Language) Say(m Message) []hal.Item {
	if m >= NumMessages {
		panic(fmt.Sprintf("prompt: message %d has no words", m))
	}
	return Files(l.message(m))
}

func (l Language) message(m Message) string {
	if l == Chinese {
		return chineseMessages()[m]
	}
	return englishMessages()[m]
}

// SignedIn confirms that the agent of that number is signed in.
func (l Language) SignedIn(agent string) []hal.Item {
	if l == Chinese {
		return Files(append(append([]string{zhAgent}, digits(agent)...), zhSignedIn)...)
	}
	return Files(append([]string{"agent-loginok"}, digits(agent)...)...)
}

// CameBack is what a display shows when a transfer to that number comes back.
func (l Language) CameBack(from string) string {
	if l == Chinese {
		return from + " 转回"
	}
	return "came back from " + from
}

// Number says n as a cardinal: 1,234 as one thousand two hundred thirty four, 2 as 二. Numbers of
// 10^12 and above, and their negatives, are said digit by digit.
func (l Language) Number(n int64) []hal.Item {
	if l == Chinese {
		return Files(signed(n, zhNumber)...)
	}
	return Files(signed(n, enNumber)...)
}

// Ordinal says the place n in a row: 21 as twenty first, 第二十一. Below 1 there is none: it says
// the number.
func (l Language) Ordinal(n int64) []hal.Item {
	switch {
	case n < 1 || n >= maxNumber:
		return l.Number(n)
	case l == Chinese:
		return Files(append([]string{zhOrdinal}, zhNumber(n)...)...)
	}
	return Files(enOrdinal(n)...)
}

// Digits says each of 0 to 9, + * and # in s, one by one, and nothing of other characters.
func (Language) Digits(s string) []hal.Item { return Files(digits(s)...) }

// Telephone says a telephone number digit by digit, as people do there: in Chinese, 1 is 幺, which
// is not taken for 七.
func (l Language) Telephone(n hal.Number) []hal.Item {
	names := digits(string(n))
	for i, part := range names {
		if l == Chinese && part == "digits/1" {
			names[i] = zhYao
		}
	}
	return Files(names...)
}

// Time says the hour and minute of t, in t's own time zone: two thirty P.M., 下午两点三十分.
func (l Language) Time(t time.Time) []hal.Item {
	if l == Chinese {
		return Files(zhTime(t.Hour(), t.Minute())...)
	}
	return Files(enTime(t.Hour(), t.Minute())...)
}

// Date says the day of t, in t's own time zone, with its weekday.
func (l Language) Date(t time.Time) []hal.Item {
	year, month, day := t.Date()
	weekday := fmt.Sprintf("digits/day-%d", int(t.Weekday()))
	if l == Chinese {
		return Files(append(zhDate(year, int(month), day), weekday)...)
	}
	return Files(append([]string{weekday}, enDate(year, int(month), day)...)...)
}

// Duration says a length of time to the second; what is negative is none.
func (l Language) Duration(d time.Duration) []hal.Item {
	seconds := int64(max(d, 0).Round(time.Second) / time.Second)
	if l == Chinese {
		return Files(zhDuration(seconds)...)
	}
	return Files(enDuration(seconds)...)
}

// Recordings is the name of every recording that l can need, sorted. A folder of the language that
// has them all can say everything above.
func (l Language) Recordings() []string {
	parts, messages := enParts(), englishMessages()
	if l == Chinese {
		parts, messages = zhParts(), chineseMessages()
	}
	for d := range 10 {
		parts = append(parts, digit(byte('0'+d)))
	}
	for d := range 7 {
		parts = append(parts, fmt.Sprintf("digits/day-%d", d))
	}
	parts = append(parts, "digits/minus", "digits/star", "digits/pound", "letters/plus")
	parts = append(parts, messages[:]...)
	slices.Sort(parts)
	return slices.Compact(parts)
}

// signed says n by say, behind a minus where it has one.
func signed(n int64, say func(int64) []string) []string {
	switch {
	case n <= -maxNumber || n >= maxNumber:
		names := digits(fmt.Sprint(n))
		if n < 0 {
			names = append([]string{"digits/minus"}, names...)
		}
		return names
	case n < 0:
		return append([]string{"digits/minus"}, say(-n)...)
	}
	return say(n)
}

func digits(s string) (names []string) {
	for _, c := range []byte(s) {
		if name := digit(c); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// digit is the recording of one key or digit, "" where there is none.
func digit(c byte) string {
	switch {
	case c >= '0' && c <= '9':
		return "digits/" + string(rune(c))
	case c == '+':
		return "letters/plus"
	case c == '*':
		return "digits/star"
	case c == '#':
		return "digits/pound"
	}
	return ""
}

// Files gives an item for each recording named.
func Files(names ...string) []hal.Item {
	items := make([]hal.Item, len(names))
	for i, n := range names {
		items[i] = hal.Item{File: n}
	}
	return items
}

// Music gives what is played to who waits: the recordings named, or the built-in tune.
func Music(names []string) []hal.Item {
	if len(names) == 0 {
		return []hal.Item{{Tone: "music"}}
	}
	return Files(names...)
}
