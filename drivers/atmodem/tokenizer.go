package atmodem

// maxLine bounds one line. AT+CLAC and AT+COPS=? give the longest honest ones, below 2 KiB.
const maxLine = 4096

// tokenizer cuts what the modem sends into lines, however the reads were cut. A line ends at CR or
// LF; empty lines, half a line at the end of the stream and bytes that are no printable ASCII
// (noise of a port that opens, a module that boots) are dropped. The zero value is ready.
type tokenizer struct {
	line    []byte
	over    bool   // the line is too long: it is dropped up to its end
	garbage uint64 // bytes dropped
}

// feed takes b and calls line for each line that it completes and, while prompting says so, prompt
// for "> " at the start of a line (V.250 text entry: it has no line end).
func (t *tokenizer) feed(b []byte, prompting func() bool, line func(string), prompt func()) {
	for _, c := range b {
		switch {
		case c == '\r' || c == '\n':
			t.end(line)
		case c < ' ' || c > '~':
			t.garbage++
		case t.over:
			t.garbage++
		case len(t.line) == maxLine:
			t.garbage += maxLine + 1
			t.line, t.over = t.line[:0], true
		default:
			t.line = append(t.line, c)
			if len(t.line) == 2 && string(t.line) == "> " && prompting() {
				t.line = t.line[:0]
				prompt()
			}
		}
	}
}

func (t *tokenizer) end(line func(string)) {
	b := t.line
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	t.line, t.over = t.line[:0], false
	if len(b) > 0 {
		line(string(b))
	}
}
