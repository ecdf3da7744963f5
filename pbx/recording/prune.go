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

// Prune removes finished recordings that were made before a time, and then the oldest ones while all
// together are more than limit bytes (0: no limit), with the folders that become empty. It reads the
// whole folder; recordings under way are left alone. An error is joined of all that could not go.
func (w *Writer) Prune(ctx context.Context, before time.Time, limit int64) (gone Pruned, err error) {
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
	for _, f := range files {
		if !f.made.Before(before) && (limit == 0 || total <= limit) {
			break // the oldest come first
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
