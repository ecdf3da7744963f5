package config

import "fmt"

// Mention is a place in a document that names a prompt.
type Mention struct {
	Path string // flows[0].steps[2].menu.prompt[0]
	Name string
}

// Prompts is every prompt that d names, in d's order.
func (d *Doc) Prompts() (all []Mention) {
	add := func(path string, names []string) {
		for i, n := range names {
			all = append(all, Mention{fmt.Sprintf("%s[%d]", path, i), n})
		}
	}
	for i, q := range d.Queues {
		add(fmt.Sprintf("queues[%d].music", i), q.Music)
	}
	for i, f := range d.Flows {
		for j, s := range f.Steps {
			at := fmt.Sprintf("flows[%d].steps[%d]", i, j)
			add(at+".play", s.Play)
			if s.Menu != nil {
				add(at+".menu.prompt", s.Menu.Prompt)
				add(at+".menu.invalid", s.Menu.Invalid)
			}
		}
	}
	return all
}
