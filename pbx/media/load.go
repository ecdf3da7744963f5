package media

import (
	"errors"
	"fmt"
)

const (
	loaders   = 2
	loadQueue = 256
)

// load reads the files of plays until loads is closed.
func (w *Worker) load(loads <-chan *play) {
	missing := map[string]bool{}
	for p := range loads {
		sounds := make([][]int16, p.list.Files())
		for i := range sounds {
			name := p.list.File(i)
			pcm, err := w.read(name)
			sounds[i] = pcm
			if err == nil {
				delete(missing, name)
			} else if !missing[name] && len(missing) < 1000 {
				missing[name] = true
				w.opt.Log.Warn("prompt left out", "prompt", name, "err", err)
			}
		}
		w.post(func() {
			if p.over {
				return
			}
			for i, pcm := range sounds {
				p.list.Give(i, pcm)
			}
			w.begin(p)
		})
	}
}

// read asks Prompts for one file; a panic there costs that file.
func (w *Worker) read(name string) (pcm []int16, err error) {
	if w.opt.Prompts == nil {
		return nil, errors.New("there are no prompts on this box")
	}
	defer func() {
		if r := recover(); r != nil {
			pcm, err = nil, fmt.Errorf("reading it broke: %v", r)
		}
	}()
	return w.opt.Prompts.Load(name)
}
