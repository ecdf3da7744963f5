// Package both says one thing in both languages of the product at once, English and Simplified Chinese, so
// that neither is forgotten: what takes Words cannot be given one alone. It is pure. Start at Say.
package both

import "fmt"

// Words are the same said in English and in Simplified Chinese, without a full stop. The zero value says
// nothing.
type Words struct{ EN, ZH string }

// Say fills args into both formats (package fmt); indexes like %[2]s put them in a language's own order. An
// argument that is itself Words is said in each language. Without args the formats are taken as they are.
func Say(en, zh string, args ...any) Words {
	if len(args) == 0 {
		return Words{en, zh}
	}
	english, chinese := make([]any, len(args)), make([]any, len(args))
	for i, a := range args {
		english[i], chinese[i] = a, a
		if w, ok := a.(Words); ok {
			english[i], chinese[i] = w.EN, w.ZH
		}
	}
	return Words{fmt.Sprintf(en, english...), fmt.Sprintf(zh, chinese...)}
}

// String is the English.
func (w Words) String() string { return w.EN }
