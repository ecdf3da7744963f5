package trace

import (
	"bytes"
)

// Blank puts x in place of what nobody needs to see and somebody could use: the answer of a digest
// (response= of Authorization and Proxy-Authorization, RFC 7616 clause 3.4; of other schemes all), the
// keys of sound (a=crypto, RFC 4568 clause 9.1; k=, a=key-mgmt), and keys that were pressed (INFO with application/dtmf
// and dtmf-relay), among which a PIN may be. It works in text, whose length stays: Content-Length
// counts on. What is hidden in a broken message may stay.
func Blank(text []byte) {
	credentials, keys, inBody := false, false, false
	for rest := text; len(rest) > 0; {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line = rest[:i+1]
		}
		rest = rest[len(line):]
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			inBody = true
			continue
		}
		if inBody {
			blankBody(line, keys)
			continue
		}
		if line[0] == ' ' || line[0] == '\t' { // goes on
			if credentials {
				blankAnswer(line)
			}
			continue
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		key = bytes.TrimRight(key, " \t")
		credentials = equal(key, "Authorization") || equal(key, "Proxy-Authorization")
		if credentials {
			scheme, all, _ := bytes.Cut(bytes.TrimLeft(value, " \t"), []byte(" "))
			if equal(scheme, "Digest") {
				blankAnswer(value)
			} else {
				cross(all)
			}
		}
		if equal(key, "Content-Type") || equal(key, "c") {
			keys = keys || bytes.Contains(bytes.ToLower(value), []byte("application/dtmf"))
		}
	}
}

// blankAnswer crosses out what stands behind each response=.
func blankAnswer(line []byte) {
	const name = "response"
	for i := 0; i+len(name) <= len(line); i++ {
		if !equal(line[i:i+len(name)], name) || i > 0 && line[i-1] != ' ' && line[i-1] != ',' && line[i-1] != '\t' {
			continue
		}
		value := bytes.TrimLeft(line[i+len(name):], " \t")
		if len(value) == 0 || value[0] != '=' {
			continue
		}
		value = bytes.TrimLeft(value[1:], " \t")
		if end := bytes.IndexByte(value, ','); end >= 0 {
			value = value[:end]
		}
		cross(value)
	}
}

func blankBody(line []byte, keys bool) {
	switch {
	case keys:
		if name, value, ok := bytes.Cut(line, []byte("=")); ok {
			if equal(bytes.TrimSpace(name), "Signal") {
				cross(value)
			}
			return
		}
		cross(line) // application/dtmf: the key alone
	case bytes.HasPrefix(line, []byte("a=crypto:")), bytes.HasPrefix(line, []byte("a=key-mgmt:")):
		if i := bytes.IndexAny(line[len("a=crypto:"):], " "); i >= 0 {
			crossKeys(line[len("a=crypto:")+i:])
		}
	case bytes.HasPrefix(line, []byte("k=")):
		cross(line[2:])
	}
}

// crossKeys leaves the name of the suite.
func crossKeys(params []byte) {
	if i := bytes.Index(params, []byte("inline:")); i >= 0 {
		cross(params[i+len("inline:"):])
		return
	}
	cross(params)
}

// cross puts x in place of all but quotes and spaces.
func cross(b []byte) {
	for i, c := range b {
		if c != '"' && c != ' ' {
			b[i] = 'x'
		}
	}
}
