package number

// profile is the numbering plan of a country. Lists are prefixes with blanks between them, of the
// national significant number where nothing else is said.
type profile struct {
	code, trunk, intl string
	least             int // digits of the shortest national number that is taken for one
	emergency         string
	mobile            string
	free              string
	premium           string
	abroad            string // under our country code, but another country at another price
	shortFree         string // as dialled, without a prefix
	shortPremium      string
	closed            string // prefix:length of numbers that are dialled without the trunk prefix
}

// Parts of +1 that are neither the United States nor Canada: nanpa.com, area codes outside of them. They
// are dialled like national calls and are charged as calls abroad.
const caribbean = "242 246 264 268 284 340 345 441 473 649 658 664 670 671 684 721 758 767 784 787 809 829 849 868 869 876 939"

// country is what the regulator of each says (ITU-T national numbering plans); the zero value for one
// that is not here.
func country(iso string) profile {
	switch iso {
	case "US", "CA":
		return profile{
			code: "1", trunk: "1", intl: "011", least: 10, emergency: "911 933 988",
			free: "800 833 844 855 866 877 888", premium: "900 976", abroad: caribbean, closed: ":10",
			shortFree: "211 311 511 711 811", shortPremium: "411",
		}
	case "DE":
		return profile{
			code: "49", trunk: "0", intl: "00", least: 6, emergency: "110 112",
			mobile: "15 16 17", free: "800 116", premium: "900 137 138 10 19 118", shortFree: "116", shortPremium: "118",
		}
	case "CN":
		return profile{
			code: "86", trunk: "0", intl: "00", least: 8, emergency: "110 112 119 120 122",
			mobile: "13 14 15 16 17 18 19", free: "800", premium: "168 160", shortPremium: "168 160 125",
			closed: "1:11 400:10 800:10",
		}
	case "GB":
		return profile{
			code: "44", trunk: "0", intl: "00", least: 9, emergency: "999 112",
			mobile: "71 72 73 74 75 77 78 79", free: "800 808", premium: "9 84 87 70 76 118", shortFree: "116 101 105 111", shortPremium: "118",
			abroad: "1481 1534 1624 7781 7839 7911 7509 7797 7937 7829 7624 7524 7924", // Channel Islands, Isle of Man
		}
	}
	return further(iso)
}

func further(iso string) profile {
	switch iso {
	case "FR":
		return profile{
			code: "33", trunk: "0", intl: "00", least: 9, emergency: "112 15 17 18 114 115 119 191 196",
			mobile: "6 7", free: "800 801 802 803 804 805", premium: "81 82 89", shortFree: "116 30 31", shortPremium: "118 32 36 39",
		}
	case "ES":
		return profile{
			code: "34", intl: "00", least: 9, emergency: "112 061 062 080 085 091 092",
			mobile: "6 71 72 73 74 75 76 77 78 79", free: "800 900", premium: "803 806 807 901 902 905 907",
			shortFree: "116", shortPremium: "118", closed: ":9",
		}
	case "IT":
		return profile{
			code: "39", intl: "00", least: 6, emergency: "112 113 115 118 1515 1522 1530",
			mobile: "3", free: "80", premium: "144 166 178 199 84 89 4", shortFree: "116 114 117", shortPremium: "12 4 89",
			closed: "0:6 0:7 0:8 0:9 0:10 0:11 3:9 3:10 80:6 80:9 80:10 84:9 84:10",
		}
	case "JP":
		return profile{
			code: "81", trunk: "0", intl: "010", least: 9, emergency: "110 118 119",
			mobile: "60 70 80 90", free: "120 800", premium: "990 570 180", shortPremium: "104 115",
		}
	case "AU":
		return profile{
			code: "61", trunk: "0", intl: "0011", least: 6, emergency: "000 112 106",
			mobile: "4", free: "1800 180", premium: "190 191 193 19", shortPremium: "124 1234", closed: "13:6 1300:10 180:7 1800:10 190:10 19:6 19:8",
		}
	case "IN":
		return profile{
			code: "91", trunk: "0", intl: "00", least: 10, emergency: "112 100 101 102 108 1091",
			mobile: "6 7 8 9", free: "1800", premium: "186 190", closed: "6:10 7:10 8:10 9:10 1800:10 1800:11 1860:11",
		}
	case "BR":
		return profile{
			code: "55", trunk: "0", intl: "00", least: 10, emergency: "112 190 191 192 193 194 199 911",
			free: "800", premium: "300 500 900", shortFree: "100 180 181",
		}
	case "RU":
		return profile{
			code: "7", trunk: "8", intl: "810", least: 10, emergency: "112 101 102 103 104 01 02 03 04",
			mobile: "9", free: "800 804", premium: "803 809", abroad: "6 7", // Kazakhstan
		}
	case "PL":
		return profile{
			code: "48", intl: "00", least: 9, emergency: "112 984 985 986 987 991 992 993 994 997 998 999",
			mobile: "45 50 51 53 57 60 66 69 72 73 78 79 88", free: "800", premium: "70 300 400 801 804", shortFree: "116", shortPremium: "118",
			closed: ":9",
		}
	}
	// Most of the world; and the emergency numbers that every mobile knows (3GPP TS 22.101 clause 10.1.1).
	return profile{trunk: "0", intl: "00", emergency: "112 911"}
}
