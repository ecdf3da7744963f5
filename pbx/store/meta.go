package store

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// The bucket meta holds what the box knows of itself.
const (
	metaBucket = "meta"
	keyFormat  = "format" // of the file: 1
	keyBox     = "box"
	keyBoot    = "boot"
	keyClean   = "clean" // there while the last run ended in peace
	keyAlive   = "alive"
)

const format = 1

// identify gives a new file its format and its box id, before anybody else may use it.
func (s *Store) identify() error {
	err := s.View(func(tx *Tx) error { return s.readIdentity(tx) })
	if err != nil || s.box != 0 {
		return err
	}
	var id [4]byte
	if _, err := rand.Read(id[1:]); err != nil {
		return err
	}
	id[3] |= 1 // never 0
	return s.now(func(tx *Tx) error {
		meta := tx.Bucket(metaBucket)
		if err := meta.Put([]byte(keyFormat), binary.BigEndian.AppendUint32(nil, format)); err != nil {
			return err
		}
		s.box = binary.BigEndian.Uint32(id[:])
		return meta.Put([]byte(keyBox), id[:])
	})
}

func (s *Store) readIdentity(tx *Tx) error {
	meta := tx.Bucket(metaBucket)
	if f := small(meta.Get([]byte(keyFormat))); f > format {
		return fmt.Errorf("written by a newer branchline (format %d, known %d)", f, format)
	}
	s.box = small(meta.Get([]byte(keyBox)))
	return nil
}

// now changes the file at once, beside the writer; only for the few moments of start.
func (s *Store) now(do func(*Tx) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return do(&Tx{tx: tx}) })
}

// BoxID is the box's own number of 24 bits: chance, drawn once when the file was made, never 0.
func (s *Store) BoxID() uint32 { return s.box }

// NextBoot opens a run of the program: it counts it, from 1, and says whether the run before it
// ended in peace (MarkClean). It waits for the disk; call it once, before Run.
func (s *Store) NextBoot() (boot uint32, clean bool, err error) {
	if s.readOnly {
		return 0, false, ErrReadOnly
	}
	err = s.now(func(tx *Tx) error {
		meta := tx.Bucket(metaBucket)
		clean = meta.Get([]byte(keyClean)) != nil
		boot = small(meta.Get([]byte(keyBoot))) + 1
		if err := meta.Delete([]byte(keyClean)); err != nil {
			return err
		}
		return meta.Put([]byte(keyBoot), binary.BigEndian.AppendUint32(nil, boot))
	})
	if err != nil {
		return 0, false, fmt.Errorf("store: count the boot: %w", err)
	}
	return boot, clean || boot == 1, nil
}

// MarkClean queues the mark that this run ends in peace. Call it when nothing is left to be said;
// Run or Close writes it.
func (s *Store) MarkClean() <-chan error {
	return s.Queue(func(tx *Tx) error { return tx.Bucket(metaBucket).Put([]byte(keyClean), []byte{1}) })
}

// SetAlive keeps the latest time at which the box is known to have been alive.
func (t *Tx) SetAlive(at time.Time) error {
	return t.Bucket(metaBucket).Put([]byte(keyAlive), Key(uint64(at.UnixNano())))
}

// Alive is what SetAlive kept; the zero time where it never did.
func (t *Tx) Alive() time.Time {
	raw := t.Bucket(metaBucket).Get([]byte(keyAlive))
	if len(raw) != 8 {
		return time.Time{}
	}
	return time.Unix(0, int64(Number(raw))).UTC()
}

func small(raw []byte) uint32 {
	if len(raw) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(raw)
}
