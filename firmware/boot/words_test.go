package boot

import (
	"strings"
	"testing"

	"branchline/pbx/call"
	"branchline/pbx/sip/trunk/signin"
	"branchline/pbx/view/words"
)

func TestWhyATrunkIsDownIsSaidInChineseToo(t *testing.T) {
	for _, why := range signin.Reasons() {
		e := call.Entry{Fact: call.LineDown{Line: "acme", Why: why}}
		if en, zh := words.Of(e, "en"), words.Of(e, words.Chinese); !strings.Contains(en, why) || strings.Contains(zh, why) {
			t.Errorf("%s\n%s", en, zh)
		}
	}
}
