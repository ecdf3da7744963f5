package media

import "time"

// tick carries every leg's sound on by 20 ms: see who is passed through, take from the wires, mix,
// give to the wires. It allocates nothing.
func (w *Worker) tick() {
	w.now = time.Since(w.made)
	for _, b := range w.bridges {
		w.tryPair(b)
	}
	for _, l := range w.legs {
		w.tryPull(l)
	}
	for _, b := range w.bridges {
		w.tryMix(b)
	}
	for _, l := range w.legs {
		w.tryPush(l)
	}
	if w.broken {
		w.sweep()
	}
	if w.out.Full() {
		w.out.Flush()
	}
}

func (w *Worker) tryPull(l *leg) {
	defer w.spare(l)
	if !l.broken {
		l.pull(w)
	}
}

func (w *Worker) tryPush(l *leg) {
	defer w.spare(l)
	if !l.broken {
		l.push(w)
	}
}

func (w *Worker) tryPair(b *bridge) {
	defer w.spareAll(b)
	b.pair.tick(b)
}

func (w *Worker) tryMix(b *bridge) {
	defer w.spareAll(b)
	b.mix(w)
}

// spareAll is deferred around the handling of a bridge: a panic there costs its legs.
func (w *Worker) spareAll(b *bridge) {
	if r := recover(); r != nil {
		w.broke("", r)
		for _, l := range b.members {
			l.broken = true
		}
		w.broken = true
	}
}

// spare is deferred around the handling of a leg: a panic there costs that leg only.
func (w *Worker) spare(l *leg) {
	if r := recover(); r != nil {
		w.broke(l.id, r)
		l.broken, l.heard = true, false
		w.broken = true
	}
}

// sweep takes out the legs that broke.
func (w *Worker) sweep() {
	w.broken = false
	for i := len(w.legs) - 1; i >= 0; i-- {
		l := w.legs[i]
		if !l.broken {
			continue
		}
		w.guarded(func() { w.detach(l) })
		w.fail(l.id, "", "the handling of its sound broke; the leg is without sound now")
	}
}
