// Package store keeps what must outlive a power cut: one file, branchline.db, in the data folder.
//
// It promises: a change whose ticket says nil is on disk, whatever happens next; changes are made
// in the order in which they were queued; a change that fails or panics spoils no other; nobody who
// queues a change waits for the disk. One goroutine, Run, makes all changes; readers use View.
//
// Start at Open, Queue and View. Tx, Bucket and Table are how the file is read and written; no
// other package imports bbolt.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the file in the data folder.
const FileName = "branchline.db"

// lockWait is how long Open waits for another program to let go of the file: a restart may overlap
// a little with the end of the run before.
const lockWait = 250 * time.Millisecond

// mapSize is how much address space the file is given at once. A file that outgrows its mapping
// makes the writer wait for all readers, so this is far more than a box needs; it costs no memory.
const mapSize = 1 << 30

var (
	// ErrInUse says that another program has the folder.
	ErrInUse = errors.New("another branchline runs in this folder")
	// ErrReadOnly says that the store was opened by OpenReadOnly.
	ErrReadOnly = errors.New("the store is open for reading only")
	// ErrClosed says that the store is closed.
	ErrClosed = errors.New("the store is closed")
	// ErrUnreadable says that the disk could not read a part of the file.
	ErrUnreadable = errors.New("the disk does not give back what it keeps: it is broken")
	// ErrFull says that the file may not grow any more; see Limit.
	ErrFull = errors.New("the store is full")
)

// Store is the open file. Its methods may be called from any goroutine.
type Store struct {
	db       *bbolt.DB
	readOnly bool
	box      uint32
	wake     chan struct{} // a token: queue is not empty

	mu     sync.Mutex // guards the fields below
	queue  []change
	limit  int64
	closed bool
}

// Open opens the store of a data folder, and makes folder and file where they are missing. It fails
// with ErrInUse while another program has it. Close it after Run has ended.
func Open(folder string) (*Store, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	path := filepath.Join(folder, FileName)
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	s, err := open(path, false)
	if err != nil {
		return nil, err
	}
	if fresh {
		err = syncFolder(folder)
	}
	if err == nil {
		err = s.identify()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), s.db.Close())
	}
	return s, nil
}

// OpenReadOnly opens the store of a box that is stopped. Several programs may read at a time; it
// fails with ErrInUse while a box runs, and with fs.ErrNotExist where no box ever ran.
func OpenReadOnly(folder string) (*Store, error) {
	s, err := open(filepath.Join(folder, FileName), true)
	if err != nil {
		return nil, err
	}
	err = s.View(func(tx *Tx) error { return s.readIdentity(tx) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", s.db.Path(), err), s.db.Close())
	}
	return s, nil
}

func open(path string, readOnly bool) (*Store, error) {
	db, err := bbolt.Open(path, 0o640, &bbolt.Options{
		Timeout:  lockWait,
		ReadOnly: readOnly,
		// The list of free pages is kept in the file: without it every Open would walk all of it.
		NoFreelistSync:  false,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapSize,
		NoStatistics:    true,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("store %s: %w", path, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	return &Store{db: db, readOnly: readOnly, wake: make(chan struct{}, 1)}, nil
}

// syncFolder makes the name of a new file safe; the file itself is synced by bbolt.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// View runs read on an unchanging picture of the store: what was on disk at its begin. It does not
// wait for the writer. Keep it short, a few hundred entries: while it runs, space cannot be reused.
// Nothing that the Tx gave may be used afterwards. It fails with ErrUnreadable where the disk fails to read.
func (s *Store) View(read func(*Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // the file is mapped: a failed read is a fault
	defer func() {
		r := recover()
		if _, fault := r.(interface{ Addr() uintptr }); fault {
			err = ErrUnreadable
		} else if r != nil {
			panic(r)
		}
	}()
	err = s.db.View(func(tx *bbolt.Tx) error { return read(&Tx{tx: tx}) })
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Limit caps how many bytes the file may fill, roughly, for it grows in steps of 16 MiB: a commit
// that would need more fails with ErrFull, and all goes on. 0: no cap.
func (s *Store) Limit(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = bytes
}

// Size is the size of the file in bytes.
func (s *Store) Size() (int64, error) {
	info, err := os.Stat(s.db.Path())
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	return info.Size(), nil
}

// Close makes the changes that are still queued and lets go of the file. Call it after Run and all
// readers have ended. It waits for the disk.
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return nil
	}
	return errors.Join(s.commit(s.take()), s.db.Close())
}
