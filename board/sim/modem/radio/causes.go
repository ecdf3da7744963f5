package radio

import (
	"strconv"

	"branchline/hal"
)

// causes are the release causes of 3GPP TS 24.008 that QHUP takes and CEER tells.
func causes() map[string]hal.Cause {
	return map[string]hal.Cause{
		"1": hal.Unallocated, "16": hal.Normal, "17": hal.Busy, "18": hal.NoAnswer, "19": hal.NoAnswer, "21": hal.Rejected,
		"27": hal.Unreachable, "31": hal.Normal, "34": hal.Congestion, "88": hal.Media,
	}
}

// CauseOf is the cause with a number.
func CauseOf(number string) (hal.Cause, bool) {
	c, known := causes()[number]
	return c, known
}

// CauseText is what AT+CEER tells.
func CauseText(c hal.Cause) string {
	texts := map[hal.Cause]string{
		hal.Normal: "Normal call clearing", hal.Busy: "User busy", hal.NoAnswer: "No answer from user", hal.Rejected: "Call rejected",
		hal.Unallocated: "Unassigned (unallocated) number", hal.Unreachable: "Destination out of order",
		hal.Congestion: "No circuit/channel available", hal.WireTrouble: "Network out of order", hal.Media: "Incompatible destination",
	}
	if text, known := texts[c]; known {
		return text
	}
	return "No cause information available"
}

// Number is the number of a cause; 31 for one that it cannot tell.
func Number(why hal.Cause) int {
	switch why {
	case hal.Normal:
		return 16
	case hal.NoAnswer:
		return 19
	case hal.WireTrouble:
		return 38
	}
	for number, c := range causes() {
		if n, err := strconv.Atoi(number); err == nil && c == why {
			return n
		}
	}
	return 31
}
