package registrar

import (
	"context"
	"log/slog"
	"sync"
)

// Store keeps bindings over a restart. Load is called once, before the first REGISTER; Save and
// Delete by one goroutine, which may wait. A binding is named by its Extension and Contact.
type Store interface {
	Load() ([]Binding, error)
	Save(Binding) error
	Delete(Binding) error
}

// Keeper writes bindings to the store on a goroutine of its own: a disk must not hold up a phone.
// Of several changes of one binding only the last is written.
type Keeper struct {
	store Store
	log   *slog.Logger
	wake  chan struct{}

	mu      sync.Mutex // guards what follows
	order   []string
	waiting map[string]Change
}

// NewKeeper makes a keeper; with a nil Store it keeps nothing.
func NewKeeper(s Store, log *slog.Logger) *Keeper {
	return &Keeper{store: s, log: log, wake: make(chan struct{}, 1), waiting: map[string]Change{}}
}

// Note has changes written. It does not wait.
func (k *Keeper) Note(changes []Change) {
	if k.store == nil || len(changes) == 0 {
		return
	}
	k.mu.Lock()
	for _, c := range changes {
		name := c.Binding.Name()
		if _, has := k.waiting[name]; !has {
			k.order = append(k.order, name)
		}
		k.waiting[name] = c
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends, and then what is left.
func (k *Keeper) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			k.write()
			return
		case <-k.wake:
			k.write()
		}
	}
}

func (k *Keeper) write() {
	k.mu.Lock()
	order, waiting := k.order, k.waiting
	k.order, k.waiting = nil, map[string]Change{}
	k.mu.Unlock()
	for _, name := range order {
		c := waiting[name]
		err := error(nil)
		if c.Gone {
			err = k.store.Delete(c.Binding)
		} else {
			err = k.store.Save(c.Binding)
		}
		if err != nil {
			k.log.Warn("sign-in not kept; the phone must sign in again after a restart", "extension", c.Binding.Extension, "err", err)
		}
	}
}
