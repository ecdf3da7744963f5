package words_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
	"branchline/pbx/view/viewtest"
	"branchline/pbx/view/words"
)

// samples are the golden facts of package call: its tests see to it that every kind is there.
func samples(t *testing.T) []call.Fact {
	t.Helper()
	paths, err := filepath.Glob("../../call/testdata/facts/v1/*.json")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d golden facts, %v; want 30 at least", len(paths), err)
	}
	var out []call.Fact
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		f, err := call.Decode(bytes.TrimSpace(raw))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func TestEveryKindOfFactHasASentenceInBothLanguages(t *testing.T) {
	unknown := words.Of(call.Entry{Fact: call.Unknown{Name: "x"}}, "en")
	unknown = strings.TrimSuffix(unknown, "x")
	for _, f := range samples(t) {
		e := call.Entry{Seq: 1, Fact: f}
		en, zh := words.Of(e, "en"), words.Of(e, words.Chinese)
		if strings.HasPrefix(en, unknown) {
			t.Errorf("%s has no sentence", f.Kind())
		}
		if en == zh || !han(zh) {
			t.Errorf("%s has no Chinese sentence: %s", f.Kind(), zh)
		}
		for _, s := range []string{en, zh} {
			if strings.Contains(s, "%!") || strings.HasSuffix(s, ".") || strings.Contains(s, "\n") {
				t.Errorf("%s says %q", f.Kind(), s)
			}
		}
	}
}

func TestSentencesAreAsAPersonWouldSayThem(t *testing.T) {
	for _, c := range []struct {
		fact   call.Fact
		en, zh string
	}{
		{call.Began{Line: "gsm1", Direction: call.Inbound, From: "0935"}, "0935 rings on gsm1", "0935 呼入，线路 gsm1"},
		{call.Began{Line: "gsm1", Direction: call.Inbound}, "a withheld number rings on gsm1", "隐藏号码 呼入，线路 gsm1"},
		{call.Began{Line: "phones", Direction: call.Outbound, Extension: "201", To: "0800"}, "extension 201 calls 0800", "分机 201 外呼 0800"},
		{call.Offered{Agent: "ana", Why: "longest idle, 19s"}, "ana is offered the call: longest idle, 19s", "派发给座席 ana：空闲最久，19s"},
		{call.Missed{Agent: "ana", Why: call.ByRONA}, "ana does not take it: did not answer", "座席 ana 未接：久不应答"},
		{call.Dequeued{Queue: "sales", Exit: call.ExitAbandoned, Waited: 65 * time.Second}, "the caller leaves queue sales after 1m5s: abandoned", "来电者等待 1m5s 后离开队列 sales：放弃"},
		{call.Ended{Cause: hal.Normal, By: call.ByCaller}, "the call has ended, by the caller: hung up", "通话结束，主叫方：正常挂断"},
		{call.Presence{Agent: "1001", State: call.NotReady, Reason: call.ByRONA, Cause: call.ByRONA}, "agent 1001: not ready (did not answer), because: did not answer", "座席 1001：示忙（久不应答），原因：久不应答"},
		{call.Presence{Agent: "1001", State: call.Ready, Extension: "201", Cause: call.BySelf}, "agent 1001: ready at extension 201", "座席 1001：示闲，分机 201"},
		{call.Presence{Agent: "1001", State: call.WrapUp, After: call.NotReady, Reason: "rest", Cause: call.ByCall}, "agent 1001: wrap-up, then not ready (rest)", "座席 1001：话后整理，之后 示忙（rest）"},
		{call.Synced{For: 90 * time.Second}, "the disk answers again, after 1m30s", "磁盘在 1m30s 后恢复响应"},
		{call.ClockSet{By: time.Hour}, "the clock was set forward by 1h0m0s; durations stay exact", "时钟已调快 1h0m0s；时长不受影响"},
		{call.ClockSet{By: -90 * time.Second}, "the clock was set back by 1m30s; durations stay exact", "时钟已调慢 1m30s；时长不受影响"},
		{call.Unknown{Name: "teleported"}, "something that this version does not know: teleported", "此版本不认识的事件：teleported"},
	} {
		if got := words.Of(call.Entry{Fact: c.fact}, "en"); got != c.en {
			t.Errorf("en: %s, want %s", got, c.en)
		}
		if got := words.Of(call.Entry{Fact: c.fact}, "zh-Hans"); got != c.zh {
			t.Errorf("zh: %s, want %s", got, c.zh)
		}
	}
}

func TestATimeOfDayIsSaidInTheZoneOfItsEntry(t *testing.T) {
	at := time.Date(2026, 11, 22, 20, 15, 0, 0, time.UTC)
	wraps := call.Presence{Agent: "1001", State: call.WrapUp, Until: at.Add(10 * time.Second), Cause: call.ByCall}
	for _, c := range []struct {
		zone   *time.Location
		en, zh string
	}{
		{time.UTC, "agent 1001: wrap-up until 20:15:10 UTC", "座席 1001：话后整理，至 20:15:10 UTC"},
		{time.FixedZone("Asia/Shanghai", 8*3600), "agent 1001: wrap-up until 04:15:10", "座席 1001：话后整理，至 04:15:10"},
	} {
		e := call.Entry{At: at.In(c.zone), Fact: wraps}
		if en, zh := words.Of(e, "en"), words.Of(e, words.Chinese); en != c.en || zh != c.zh {
			t.Errorf("in %s: %q and %q, want %q and %q", c.zone, en, zh, c.en, c.zh)
		}
	}
}

// constants reads the values of typed constants of a type from a source file.
func constants(t *testing.T, path, typ string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^\s+\w+\s+`+typ+`\s+= "([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
		out = append(out, m[1])
	}
	if len(out) < 3 {
		t.Fatalf("%d constants of %s in %s", len(out), typ, path)
	}
	return out
}

func TestEveryNameOfAStateOrCauseIsSaidInChinese(t *testing.T) {
	check := func(what string, f call.Fact) {
		t.Helper()
		with, without := words.Of(call.Entry{Fact: f}, "zh-CN"), words.Of(call.Entry{Fact: f}, "en")
		if strings.Contains(with, what) {
			t.Errorf("%s is not translated: %s", what, with)
		}
		if strings.Contains(without, "_") {
			t.Errorf("%s is said raw: %s", what, without)
		}
	}
	for _, s := range constants(t, "../../call/call.go", "State") {
		check(s, call.Presence{Agent: "1", State: call.State(s)})
	}
	for _, s := range constants(t, "../../call/call.go", "Exit") {
		check(s, call.Dequeued{Exit: call.Exit(s), Agent: "1"})
	}
	for _, s := range constants(t, "../../call/call.go", "Party") {
		check(s, call.Ended{By: call.Party(s)})
	}
	for _, s := range constants(t, "../../../hal/line.go", "Cause") {
		check(s, call.Ended{Cause: hal.Cause(s)})
	}
	for _, s := range []string{call.BySelf, call.ByRONA, call.ByReject, call.ByForce, call.ByPhone, call.ByElsewhere, call.ByDeadline, call.ByRestart, call.ByConfig} {
		check(s, call.Missed{Why: s})
	}
}

func TestStoryTellsEachMomentInOrder(t *testing.T) {
	records := view.NewRecords()
	var told int
	for _, e := range viewtest.History(3, time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), 120) {
		for _, row := range records.Apply(e) {
			var r view.Record
			if err := json.Unmarshal(row, &r); err != nil {
				t.Fatal(err)
			}
			told++
			for _, lang := range []string{"en", words.Chinese} {
				story := words.Story(r, lang)
				moments := slices.DeleteFunc(slices.Clone(story), func(s string) bool { return len(s) < 3 || s[2] != ':' })
				if !slices.IsSorted(trim(moments)) && r.Began.Day() == r.Ended.Day() {
					t.Errorf("story is not in order: %q", story)
				}
				if len(story) < 3 || strings.Contains(strings.Join(story, ""), "%!") {
					t.Errorf("story %q", story)
				}
				if lang == words.Chinese && !slices.ContainsFunc(story, han) {
					t.Errorf("story is not Chinese: %q", story)
				}
			}
		}
	}
	if told < 100 {
		t.Errorf("%d stories told, want 100 at least", told)
	}
}

// trim leaves the time of each line.
func trim(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l[:12])
	}
	return out
}
