package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"branchline/hal/dsp"
)

// Found is a recording that was cut off.
type Found struct {
	File string // as in hal.Record: relative, without ending
	For  time.Duration
}

// Recover finishes every recording that a crash or a stop cut off, and lists them in the order of
// their names; then those of open, recordings whose end nobody has told, that were complete. It is
// called at boot, before Run, and waits for the disk. Recordings without sound are removed. An error
// is joined of all that could not be finished; they stay for the next time.
func (w *Writer) Recover(open ...string) ([]Found, error) {
	root, err := os.OpenRoot(w.opt.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	defer root.Close()
	var found []Found
	var wrong []error
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		name, cut := strings.CutSuffix(path, part)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("recording %s: %w", path, err))
		case cut && d.Type().IsRegular():
			length, err := mend(root, name)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("recording %s: %w", name, err))
			} else if length > 0 {
				found = append(found, Found{name, length})
			}
		}
		return nil
	})
	for _, name := range open {
		if slices.ContainsFunc(found, func(f Found) bool { return f.File == name }) || valid(name) != nil {
			continue
		}
		if length, ok := complete(root, name); ok {
			found = append(found, Found{name, length})
		}
	}
	return found, errors.Join(append(wrong, err)...)
}

// complete is how long a finished recording is; false: there is none of that name.
func complete(root *os.Root, name string) (time.Duration, bool) {
	f, err := root.Open(name + whole)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var h [headerLen]byte
	if _, err := io.ReadFull(f, h[:]); err != nil {
		return 0, false
	}
	rate, size := binary.LittleEndian.Uint32(h[24:]), binary.LittleEndian.Uint32(h[40:]) // where WAVHeader puts them
	if rate == 0 {
		return 0, false
	}
	return span(int64(size), int(rate)), true
}

// mend completes one file by its size; 0: it held nothing and was removed.
func mend(root *os.Root, name string) (time.Duration, error) {
	f, err := root.OpenFile(name+part, os.O_RDWR, 0)
	if err != nil {
		return 0, words(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, words(err)
	}
	size := min(info.Size()-headerLen, maxData)
	size -= size % (2 * channels)
	if size <= 0 {
		return 0, words(root.Remove(name + part))
	}
	var old [headerLen]byte
	if _, err := io.ReadFull(f, old[:]); err != nil {
		return 0, words(err)
	}
	rate := int(binary.LittleEndian.Uint32(old[24:])) // where WAVHeader puts it
	if rate != 16000 {
		rate = 8000 // also where a power cut left the header unwritten
	}
	h := dsp.WAVHeader(rate, channels, uint32(size))
	if _, err := f.WriteAt(h[:], 0); err != nil {
		return 0, words(err)
	}
	if err := f.Sync(); err != nil {
		return 0, words(err)
	}
	return span(size, rate), words(rename(root, name))
}
