package prompt

import "strconv"

// The recordings of Chinese that other languages do not have. images/prompts/zh-CN.txt holds their
// words.
const (
	zhAgent    = "agent-number"     // 工号
	zhSignedIn = "agent-loginok"    // 已签入
	zhTwo      = "digits/liang"     // 两
	zhYao      = "digits/yao"       // 幺
	zhTen      = "digits/10"        // 十
	zhHundred  = "digits/hundred"   // 百
	zhThousand = "digits/thousand"  // 千
	zhMyriad   = "digits/wan"       // 万
	zhYi       = "digits/yi"        // 亿
	zhOrdinal  = "digits/di"        // 第
	zhYear     = "time/year"        // 年
	zhMonth    = "time/month"       // 月
	zhDay      = "time/day"         // 日
	zhNight    = "time/before-dawn" // 凌晨
	zhMorning  = "time/morning"     // 上午
	zhNoon     = "time/noon"        // 中午
	zhAfter    = "time/afternoon"   // 下午
	zhEvening  = "time/evening"     // 晚上
	zhOClock   = "time/o-clock"     // 点
	zhMinute   = "time/minute"      // 分
	zhSharp    = "time/sharp"       // 整
	zhHours    = "time/hours"       // 小时
	zhMinutes  = "time/minutes"     // 分钟
	zhSeconds  = "time/seconds"     // 秒
)

func zhParts() []string {
	return []string{
		zhAgent, zhSignedIn, zhTwo, zhYao, zhTen, zhHundred, zhThousand, zhMyriad, zhYi, zhOrdinal,
		zhYear, zhMonth, zhDay, zhNight, zhMorning, zhNoon, zhAfter, zhEvening, zhOClock, zhMinute,
		zhSharp, zhHours, zhMinutes, zhSeconds,
	}
}

func chineseMessages() [NumMessages]string {
	return [NumMessages]string{
		AskAgent: "agent-user", AskPIN: "agent-pass", SignedOut: "agent-loggedoff",
		NowReady: "agent-ready", NowBusy: "agent-not-ready",
		WrongLogin: "agent-incorrect", NotHere: "agent-none-here", Goodbye: "vm-goodbye",
		SwitchedOn: "activated", SwitchedOff: "de-activated", NotAllowed: "pbx-invalid",
	}
}

// zhNumber says 0 ≤ n < maxNumber by the rules of GB/T 15835: groups of four digits, 万 and 亿
// behind them; 零 once for any run of zeros between digits that are said, never at the end.
func zhNumber(n int64) []string {
	if n == 0 {
		return []string{digit('0')}
	}
	var names []string
	gap := false // something was said, and zeros since
	for _, g := range [...]struct {
		size int64
		word string
	}{{1e8, zhYi}, {1e4, zhMyriad}, {1, ""}} {
		group := n / g.size % 1e4
		if group == 0 {
			gap = gap || len(names) > 0
			continue
		}
		if len(names) > 0 && (gap || group < 1000) {
			names = append(names, digit('0'))
		}
		if group == 2 && g.word != "" {
			names = append(names, zhTwo)
		} else {
			names = append(names, zhGroup(group, len(names) == 0)...)
		}
		if g.word != "" {
			names = append(names, g.word)
		}
		gap = false
	}
	return names
}

// zhGroup says 1 to 9999. A number that begins with ten says 十, in its midst it is 一十. Two is 两
// before 千 alone.
func zhGroup(n int64, first bool) (names []string) {
	gap := false
	for _, p := range [...]struct {
		size int64
		word string
	}{{1000, zhThousand}, {100, zhHundred}, {10, zhTen}, {1, ""}} {
		d := n / p.size % 10
		if d == 0 {
			gap = gap || len(names) > 0
			continue
		}
		if gap {
			names = append(names, digit('0'))
			gap = false
		}
		switch {
		case d == 2 && p.size == 1000:
			names = append(names, zhTwo)
		case d == 1 && p.size == 10 && first && len(names) == 0:
		default:
			names = append(names, digit(byte('0'+d)))
		}
		if p.word != "" {
			names = append(names, p.word)
		}
	}
	return names
}

// zhCount says how many of unit: two of something is 两.
func zhCount(n int64, unit string) []string {
	if n == 2 {
		return []string{zhTwo, unit}
	}
	return append(signed(n, zhNumber), unit)
}

// zhTime: 上午九点整, 下午两点零五分, 凌晨零点三十分.
func zhTime(hour, minute int) []string {
	part := zhEvening
	switch {
	case hour < 6:
		part = zhNight
	case hour < 12:
		part = zhMorning
	case hour == 12:
		part = zhNoon
	case hour < 18:
		part = zhAfter
	}
	if hour > 12 {
		hour -= 12
	}
	names := append([]string{part}, zhCount(int64(hour), zhOClock)...)
	switch {
	case minute == 0:
		return append(names, zhSharp)
	case minute < 10:
		names = append(names, digit('0'))
	}
	return append(append(names, zhNumber(int64(minute))...), zhMinute)
}

// zhDate: 二零二六年十一月二十二日; the year digit by digit.
func zhDate(year, month, day int) []string {
	names := append(digits(strconv.Itoa(year)), zhYear)
	names = append(append(names, zhNumber(int64(month))...), zhMonth)
	return append(append(names, zhNumber(int64(day))...), zhDay)
}

// zhDuration: 两小时零五秒, 三十分钟, 零秒.
func zhDuration(seconds int64) (names []string) {
	hours, minutes, rest := seconds/3600, seconds/60%60, seconds%60
	if hours > 0 {
		names = zhCount(hours, zhHours)
	}
	if minutes > 0 {
		names = append(names, zhCount(minutes, zhMinutes)...)
	}
	if hours > 0 && minutes == 0 && rest > 0 {
		names = append(names, digit('0'))
	}
	if rest > 0 || len(names) == 0 {
		names = append(names, zhCount(rest, zhSeconds)...)
	}
	return names
}
