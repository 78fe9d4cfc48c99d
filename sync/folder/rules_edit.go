package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/ignore"
	"lanyard/sync/relpath"
)

// onDisk calls f with the folder's root: the open one, or, where the folder has
// stopped, one that is opened for it and proves to be that folder.
func (r *Runner) onDisk(f func(fsys.FS) error) error {
	if disk := r.root(); disk != nil {
		if err := r.prove(); err != nil {
			return err
		}
		return f(disk)
	}
	disk, err := r.o.Open()
	if err != nil {
		return err
	}
	defer disk.Close() // what is written is synced before
	if _, err := readMarker(disk, r.o.ID); err != nil {
		return err
	}
	return f(disk)
}

// RulesText gives the folder's own file of ignore rules, empty where there is
// none, and a token that stands for it.
func (r *Runner) RulesText() (text, token string, err error) {
	err = r.onDisk(func(f fsys.FS) error {
		b, err := rulesOn(f)
		text, token = string(b), rulesToken(b)
		return err
	})
	return text, token, err
}

func rulesOn(f fsys.FS) ([]byte, error) {
	b, err := readFile(f, ownRules, maxRules)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func rulesToken(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// maxMatched is how many names RulesTried gives.
const maxMatched = 10

// RulesTried is what rules would do with what is known of a folder.
type RulesTried struct {
	Files, Dirs, Bytes int64 // that they leave out
	Of                 int64 // files there are
	Names              []relpath.Path
	// Err is why they cannot be used: a fault that names the line, nil where they
	// can.
	Err error
}

// TryRules tells what rules would leave out, and changes nothing. It reads the
// whole index.
func (r *Runner) TryRules(ctx context.Context, text string) (out RulesTried, err error) {
	var rules *ignore.Matcher
	err = r.onDisk(func(f fsys.FS) error {
		rules, out.Err = parseWith(f, func() ([]byte, error) { return []byte(text), nil })
		return nil
	})
	if err != nil || out.Err != nil {
		return out, err
	}
	after := relpath.Root
	for {
		page, err := r.o.Index.LocalRange(relpath.Root, after, r.o.Index.Batch())
		if err != nil || len(page) == 0 {
			return out, err
		}
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		for i := range page {
			rec := &page[i]
			after = rec.Name
			if rec.Deleted {
				continue
			}
			isDir := rec.Type == bep.TypeDirectory
			if !isDir {
				out.Of++
			}
			if !rules.Match(rec.Name).Ignored {
				continue
			}
			if len(out.Names) < maxMatched {
				out.Names = append(out.Names, rec.Name)
			}
			if isDir {
				out.Dirs++
				continue
			}
			out.Files++
			out.Bytes += rec.Size
		}
	}
}

// SetRules writes the folder's own rules, durably, in place of those that token
// stands for. done is false where they are others now: nothing was written
// then. Rules that cannot be read are refused. It waits for its turn on the disk;
// a scan that brings the rules into force is the caller's.
func (r *Runner) SetRules(text, token string) (done bool, err error) {
	if len(text) > maxRules {
		return false, fault.New(fault.Item, "", "the rules are longer than %d bytes", maxRules)
	}
	type outcome struct {
		done bool
		err  error
	}
	result := make(chan outcome, 1)
	posted := r.disk.Post(func() {
		var out outcome
		out.err = r.onDisk(func(f fsys.FS) (err error) {
			if _, err := parseWith(f, func() ([]byte, error) { return []byte(text), nil }); err != nil {
				return err
			}
			out.done, err = writeRules(f, []byte(text), token, r.exec.Wall())
			return err
		})
		result <- out
	})
	if !posted {
		return false, errStopped
	}
	select {
	case out := <-result:
		return out.done, out.err
	case <-r.ctx.Done():
		return false, errStopped
	}
}

// rulesTemp is where rules are written before they take their name.
const rulesTemp = relpath.TempPrefix + "rules" + relpath.TempSuffix

func writeRules(f fsys.FS, text []byte, token string, now time.Time) (done bool, err error) {
	temp := relpath.MustParse(rulesTemp)
	if err := f.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err // of a write that was cut short
	}
	file, err := f.Create(temp)
	if err != nil {
		return false, err
	}
	_, err = file.WriteAt(text, 0)
	if err == nil {
		err = file.SetMeta(0o644, now.UnixNano())
	}
	if err == nil {
		err = f.SyncFiles([]fsys.File{file})
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return false, errors.Join(err, f.Remove(temp))
	}
	// Immediately before the step that replaces them.
	if there, err := rulesOn(f); err != nil || rulesToken(there) != token {
		return false, errors.Join(err, f.Remove(temp))
	}
	if err := f.Rename(temp, ownRules); err != nil {
		return false, errors.Join(err, f.Remove(temp))
	}
	return true, f.SyncDirs([]relpath.Path{relpath.Root})
}
