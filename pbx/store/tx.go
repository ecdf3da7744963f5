package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
)

// Tx is one transaction: of View for reading, of Queue for reading and writing.
type Tx struct{ tx *bbolt.Tx }

// Bucket is an ordered map of bytes inside the file. The zero value, a bucket that is not there, reads
// as empty. Keys and values that it gives are valid until the transaction ends and are not changed.
type Bucket struct{ b *bbolt.Bucket }

// Bucket is the bucket at path. A writing transaction makes it where it is missing.
func (t *Tx) Bucket(path ...string) Bucket {
	name := []byte(path[0])
	b := Bucket{t.tx.Bucket(name)}
	if b.b == nil && t.tx.Writable() {
		made, err := t.tx.CreateBucket(name)
		must(err)
		b = Bucket{made}
	}
	for _, name := range path[1:] {
		b = b.Sub([]byte(name))
	}
	return b
}

// Sub is the bucket name in b. A writing transaction makes it where it is missing.
func (b Bucket) Sub(name []byte) Bucket {
	if b.b == nil {
		return b
	}
	if sub := b.b.Bucket(name); sub != nil || !b.b.Writable() {
		return Bucket{sub}
	}
	made, err := b.b.CreateBucket(name)
	must(err)
	return Bucket{made}
}

// must panics for what only our own bug can cause: a bucket without name, or with the name of a
// value. The writer turns it into an error of the change.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("store: bucket: %v", err))
	}
}

// Get is the value of key, nil where there is none.
func (b Bucket) Get(key []byte) []byte {
	if b.b == nil {
		return nil
	}
	return b.b.Get(key)
}

// Put sets the value of key. value must not be changed until the change is on disk.
func (b Bucket) Put(key, value []byte) error { return b.b.Put(key, value) }

// Append is Put for keys that come in rising order: pages are filled to the brim.
func (b Bucket) Append(key, value []byte) error {
	b.b.FillPercent = 0.95
	return b.b.Put(key, value)
}

// Delete removes key, if it is there.
func (b Bucket) Delete(key []byte) error { return b.b.Delete(key) }

// Drop removes the bucket name in b with all that is in it.
func (b Bucket) Drop(name []byte) error { return b.b.DeleteBucket(name) }

// From gives keys and values from key on, rising; the value of a bucket is nil. b must not be
// changed meanwhile.
func (b Bucket) From(key []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if b.b == nil {
			return
		}
		c := b.b.Cursor()
		for k, v := c.Seek(key); k != nil; k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// AtOrBefore is the greatest key that is not above key, nil where there is none.
func (b Bucket) AtOrBefore(key []byte) (k, v []byte) {
	if b.b == nil {
		return nil, nil
	}
	c := b.b.Cursor()
	k, v = c.Seek(key)
	if k == nil {
		return c.Last()
	}
	if !bytes.Equal(k, key) {
		return c.Prev()
	}
	return k, v
}

// Last is the greatest key and its value, nil in an empty bucket.
func (b Bucket) Last() (k, v []byte) {
	if b.b == nil {
		return nil, nil
	}
	return b.b.Cursor().Last()
}

// Key is n as a key that sorts as numbers do.
func Key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Number reads a key that Key made; 0 for anything else.
func Number(key []byte) uint64 {
	if len(key) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}

// Table is a bucket of JSON values of one type. Its value is the bucket's name:
//
//	const registrations store.Table[Registration] = "registrations"
type Table[V any] string

// Get is the value of key; ok is false where there is none.
func (t Table[V]) Get(tx *Tx, key string) (v V, ok bool, err error) {
	raw := tx.Bucket(string(t)).Get([]byte(key))
	if raw == nil {
		return v, false, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, false, fmt.Errorf("store: %s %q: %w", string(t), key, err)
	}
	return v, true, nil
}

// Put sets the value of key.
func (t Table[V]) Put(tx *Tx, key string, v V) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store: %s %q: %w", string(t), key, err)
	}
	return tx.Bucket(string(t)).Put([]byte(key), raw)
}

// Delete removes key, if it is there.
func (t Table[V]) Delete(tx *Tx, key string) error {
	return tx.Bucket(string(t)).Delete([]byte(key))
}

// All is the whole table. A value that cannot be read fails it: keep one value from hiding others
// by types that only grow.
func (t Table[V]) All(tx *Tx) (map[string]V, error) {
	all := map[string]V{}
	for k, raw := range tx.Bucket(string(t)).From(nil) {
		var v V
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("store: %s %q: %w", string(t), k, err)
		}
		all[string(k)] = v
	}
	return all, nil
}
