package atmodem

import "strings"

// Fields splits what follows the first colon of an information line at its commas, without the
// quotes: `+CLIP: "0935",129` gives 0935 and 129. Commas inside quotes do not split; spaces around
// a field are dropped. A line without a colon has no fields.
func Fields(line string) []string {
	_, rest, found := strings.Cut(line, ":")
	if !found {
		return nil
	}
	var fields []string
	var field strings.Builder
	quoted, wasQuoted := false, false
	end := func() {
		f := field.String()
		if !wasQuoted {
			f = strings.TrimSpace(f)
		}
		fields = append(fields, f)
		field.Reset()
		wasQuoted = false
	}
	for _, c := range []byte(strings.TrimSpace(rest)) {
		switch {
		case c == '"':
			if quoted = !quoted; quoted {
				field.Reset() // spaces before the quote
				wasQuoted = true
			}
		case c == ',' && !quoted:
			end()
		case wasQuoted && !quoted: // spaces after the quote
		default:
			field.WriteByte(c)
		}
	}
	end()
	return fields
}
