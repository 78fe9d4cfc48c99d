package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"lanyard/sync/fault"
)

// Holder is what a lock file says of the program that holds it.
type Holder struct {
	PID     int    `json:"pid"`
	Control string `json:"control"` // address of its control socket, "" while it has none
}

// ErrLocked is wrapped by the error of a Lock that another program holds.
var ErrLocked = errors.New("another program uses this home")

// lock is the exclusive right to use a home. The system frees it when the
// process ends, however it ends; the file stays.
type lock struct{ file *os.File }

// lock takes the home's lock, without waiting, and writes this process into it.
func (h Home) lock() (*lock, error) { return h.take(h.lockFile()) }

// take takes one of the locks in the home.
func (h Home) take(file string) (*lock, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "open lock", "", err)
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", h.dir, err), f.Close())
	}
	l := &lock{f}
	if err := l.announce(""); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

// announce writes where the holder can be reached.
func (l *lock) announce(control string) error {
	data, err := json.Marshal(Holder{PID: os.Getpid(), Control: control})
	if err == nil {
		err = l.file.Truncate(0)
	}
	if err == nil {
		_, err = l.file.WriteAt(append(data, '\n'), 0)
	}
	return fault.Wrap(fault.Node, "", "write lock", "", err)
}

// release gives the lock back.
func (l *lock) release() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}

// Holder reads who holds the home's lock. It reports false where nobody left a
// note; a note may outlive its writer, so only an answer on Control proves
// that it runs.
func (h Home) Holder() (Holder, bool) { return holderOf(h.lockFile()) }

func holderOf(file string) (Holder, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Holder{}, false
	}
	var holder Holder
	if err := json.Unmarshal(data, &holder); err != nil {
		return Holder{}, false // being written just now, or given back
	}
	return holder, true
}

// Held reports whether a program holds the home's lock right now.
func (h Home) Held() (bool, error) {
	f, err := os.OpenFile(h.lockFile(), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.Node, "", "open lock", "", err)
	}
	err = tryLock(f) // given back when f is closed
	held := errors.Is(err, ErrLocked)
	if held {
		err = nil
	}
	return held, fault.Wrap(fault.Node, "", "look at the lock", "", errors.Join(err, f.Close()))
}
