package recording

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Pruned is what Prune has removed.
type Pruned struct {
	Files int
	Bytes int64
}

// Keep is what Prune leaves.
type Keep struct {
	Since time.Time // what was made before goes; zero: nothing goes for its age
	Days  int       // so many of the newest days on which anything was recorded stay, whatever their age
	Bytes int64     // the oldest go while all together are more; 0: no limit
}

// undated: a file that says to be older was made while the clock of the box was not set. Its age counts from
// when that is seen.
func undated() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Prune removes finished recordings that are not to be kept, with the folders that become empty. It reads the
// whole folder; recordings under way are left alone. An error is joined of all that could not go.
func (w *Writer) Prune(ctx context.Context, keep Keep) (gone Pruned, err error) {
	root, err := os.OpenRoot(w.opt.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return gone, nil
	}
	if err != nil {
		return gone, fmt.Errorf("recording: %w", err)
	}
	defer root.Close()
	files, err := finished(ctx, root)
	if err != nil {
		return gone, err
	}
	var total int64
	for _, f := range files {
		total += f.size
	}
	var wrong []error
	stays := keep.from(files)
	for _, f := range files {
		old := f.made.Before(stays)
		if old && f.made.Before(undated()) {
			now := time.Now()
			wrong = append(wrong, root.Chtimes(f.name, now, now))
			old = false
		}
		if !old && (keep.Bytes == 0 || total <= keep.Bytes) {
			continue
		}
		if err := root.Remove(f.name); err != nil {
			wrong = append(wrong, fmt.Errorf("recording %s: %w", f.name, err))
			continue
		}
		total -= f.size
		gone.Files++
		gone.Bytes += f.size
		for dir := filepath.Dir(f.name); dir != "."; dir = filepath.Dir(dir) {
			if root.Remove(dir) != nil {
				break // not empty: others are in it
			}
		}
	}
	return gone, errors.Join(wrong...)
}

// from is when what stays for its age begins.
func (k Keep) from(files []kept) time.Time {
	since, day, days := k.Since, "", 0
	for _, f := range slices.Backward(files) {
		if d := f.made.UTC().Format(time.DateOnly); d != day {
			day = d
			days++
		}
		if days > k.Days {
			break
		}
		if f.made.Before(since) {
			since = f.made
		}
	}
	return since
}

type kept struct {
	name string
	made time.Time
	size int64
}

// finished lists the recordings that are complete, the oldest first.
func finished(ctx context.Context, root *os.Root) (files []kept, err error) {
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return cmp.Or(err, ctx.Err())
		}
		if !d.Type().IsRegular() || !strings.HasSuffix(path, whole) {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files = append(files, kept{path, info.ModTime(), info.Size()})
		return nil
	})
	slices.SortFunc(files, func(a, b kept) int { return cmp.Or(a.made.Compare(b.made), strings.Compare(a.name, b.name)) })
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return files, nil
}
