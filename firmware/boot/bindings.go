package boot

import (
	"context"
	"time"

	"branchline/pbx/sip"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/store"
)

// bindings keeps where the phones are over a restart: phones do not sign in again because the box
// was away.
type bindings struct{ store *store.Store }

var _ sip.Store = bindings{}

const bindingTable store.Table[registrar.Binding] = "bindings"

// bindingPatience bounds how long the phones' line waits for the disk.
const bindingPatience = 5 * time.Second

func (b bindings) Load() (out []registrar.Binding, err error) {
	err = b.store.View(func(tx *store.Tx) error {
		all, err := bindingTable.All(tx)
		for _, v := range all {
			out = append(out, v)
		}
		return err
	})
	return out, err
}

func (b bindings) Save(v registrar.Binding) error {
	return b.change(func(tx *store.Tx) error { return bindingTable.Put(tx, bindingKey(v), v) })
}

func (b bindings) Delete(v registrar.Binding) error {
	return b.change(func(tx *store.Tx) error { return bindingTable.Delete(tx, bindingKey(v)) })
}

func (b bindings) change(do func(*store.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), bindingPatience)
	defer cancel()
	return b.store.Update(ctx, do)
}

func bindingKey(v registrar.Binding) string { return v.Name() }
