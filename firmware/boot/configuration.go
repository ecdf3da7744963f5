package boot

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"

	"branchline/board/sim"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/config/both"
	"branchline/pbx/store"
	"branchline/ui"
)

// version is one document that was in force, kept with who put it there.
type version struct {
	Text []byte    `json:"text"`
	Who  string    `json:"who"`
	At   time.Time `json:"at"`
}

const versions store.Table[version] = "config"

// configuration is the document in force and the way to replace it.
type configuration struct {
	box   *Box
	apply sync.Mutex // one change at a time

	started *config.Doc // in force when the box was started

	mu     sync.RWMutex
	now    *config.Doc
	text   []byte
	number uint64
}

var _ ui.Configuration = (*configuration)(nil)

// openConfiguration finds the newest document of the folder; a fresh folder begins with the seed.
func openConfiguration(b *Box) (*configuration, error) {
	c := &configuration{box: b}
	list, err := c.Versions()
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(list) > 0 {
		c.number = list[0].Number
		if c.text, _, err = c.Text(c.number); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		if c.now, err = config.Load(c.text); err != nil {
			return nil, fmt.Errorf("configuration %d of the folder: %w", c.number, err)
		}
		return c, nil
	}
	c.text = sim.Demo
	who := "built in"
	if b.o.Seed != "" {
		who = "file " + b.o.Seed
		if c.text, err = os.ReadFile(b.o.Seed); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
	}
	doc, problems := c.judge(c.text)
	if len(config.Wrong(problems)) > 0 {
		return nil, fmt.Errorf("configuration: %w", &config.LoadError{Problems: problems})
	}
	c.now, c.number = doc, 1
	b.store.Queue(func(tx *store.Tx) error { return versions.Put(tx, key(1), version{c.text, who, time.Now().UTC()}) })
	b.journal.Append(time.Now().UTC(), call.ConfigApplied{Version: 1, Who: who})
	return c, nil
}

func key(n uint64) string { return string(store.Key(n)) }

func (c *configuration) doc() *config.Doc {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

// Current is the document in force.
func (c *configuration) Current() (*config.Doc, []byte, uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now, c.text, c.number
}

// Check lists everything that is wrong in text.
func (c *configuration) Check(text []byte) []config.Problem {
	_, problems := c.judge(text)
	return problems
}

// judge is config.Check and what only this box knows: its board, its recordings, and the world's time zones.
func (c *configuration) judge(text []byte) (*config.Doc, []config.Problem) {
	return config.Check(text, zone, c.box.lines.check, c.box.prompts.judge)
}

// zone says whether the time zone exists.
func zone(doc *config.Doc) []config.Problem {
	if _, err := time.LoadLocation(doc.Site.Timezone); err == nil {
		return nil
	}
	return []config.Problem{{
		Path: "site.timezone", What: both.Say("there is no time zone %q", "没有时区 %q", doc.Site.Timezone),
		Cure: both.Say("take a name of the IANA list, such as Europe/Berlin or Asia/Shanghai", "请用 IANA 列表中的名称，如 Asia/Shanghai"),
	}}
}

// Apply puts text in force: judged, prepared by every service, durable, then taken by all. After an
// error everything is as it was.
func (c *configuration) Apply(ctx context.Context, text []byte, who string) (uint64, []string, error) {
	c.apply.Lock()
	defer c.apply.Unlock()
	doc, problems := c.judge(text)
	if len(config.Wrong(problems)) > 0 {
		return 0, nil, &config.LoadError{Problems: problems}
	}
	commitPhones, err := c.box.phones.Prepare(phoneSettings(doc))
	if err != nil {
		return 0, nil, err
	}
	_, _, number := c.Current()
	number++
	save := func(tx *store.Tx) error {
		if number > keepVersions {
			if err := versions.Delete(tx, key(number-keepVersions)); err != nil {
				return err
			}
		}
		return versions.Put(tx, key(number), version{text, who, time.Now().UTC()})
	}
	if err := c.box.store.Update(ctx, save); err != nil {
		return 0, nil, fmt.Errorf("configuration not kept: %w", err)
	}
	c.mu.Lock()
	c.now, c.text, c.number = doc, text, number
	c.mu.Unlock()
	commitPhones()
	c.box.prompts.speak(doc.Site.Language)
	err = c.box.engine.Configure(ctx, c.box.prompts.spoken(doc))
	at := c.box.journal.Append(time.Now().UTC(), call.ConfigApplied{Version: number, Who: who})
	err = errors.Join(err, c.box.lines.follow(c.box.lines.group, doc, at), c.box.journal.Synced(ctx, at))
	return number, c.later(doc), err
}

// later names what of doc takes effect when the box restarts, for it differs from what runs.
func (c *configuration) later(doc *config.Doc) (out []string) {
	was, is := c.started.Network.SIP, doc.Network.SIP
	was.Guard, is.Guard = config.Guard{}, config.Guard{} // takes effect at once
	if !reflect.DeepEqual(was, is) {
		out = append(out, "network.sip")
	}
	if c.started.Network.RTP != doc.Network.RTP {
		out = append(out, "network.rtp")
	}
	if c.started.Network.Page != doc.Network.Page {
		out = append(out, "network.page")
	}
	if c.started.Site.Country != doc.Site.Country {
		out = append(out, "site.country (its tones)")
	}
	return out
}

// pin tells whether keys are the agent's PIN, in a time that does not tell how much of it is right.
func (c *configuration) pin(agent, keys string) bool {
	for _, a := range c.doc().Agents {
		if a.Number == agent {
			return subtle.ConstantTimeCompare([]byte(a.PIN), []byte(keys)) == 1
		}
	}
	return false
}
