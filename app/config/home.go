package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lanyard/sync/fault"
)

// Home is the directory that holds everything of one device of ours: its
// configuration, identity, index, log, and the lock that lets one program at a
// time use it. A Home is a value; making one touches no disk.
type Home struct{ dir string }

// NewHome gives the home at dir, or at the platform's default place where dir
// is empty.
func NewHome(dir string) (Home, error) {
	if dir == "" {
		def, err := defaultHome()
		if err != nil {
			return Home{}, fault.New(fault.Node, "", "find the home directory (name one with --home): %w", err)
		}
		dir = def
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, fault.Wrap(fault.Node, "", "find the home directory", dir, err)
	}
	return Home{abs}, nil
}

// Usual reports whether this is the home that is used where none is named.
func (h Home) Usual() bool {
	usual, err := NewHome("")
	return err == nil && usual == h
}

// Dir gives the absolute path of the home.
func (h Home) Dir() string { return h.dir }

// IndexDir gives the directory where the engine keeps its index.
func (h Home) IndexDir() string { return filepath.Join(h.dir, "index") }

// LogFile gives the path of the log.
func (h Home) LogFile() string { return filepath.Join(h.dir, "log") }

// SocketFile gives the path of the control socket where nothing is in its way.
func (h Home) SocketFile() string { return filepath.Join(h.dir, "control.sock") }

// Digest names the home in places that homes share: 16 hexadecimal digits.
func (h Home) Digest() string {
	sum := sha256.Sum256([]byte(h.dir))
	return hex.EncodeToString(sum[:8])
}

// WindowSocketFile gives the path of the socket at which the window of the home
// is told what others ask it to show.
func (h Home) WindowSocketFile() string { return filepath.Join(h.dir, "window.sock") }

// WindowFile gives the path of the file in which the window keeps its size.
func (h Home) WindowFile() string { return filepath.Join(h.dir, "window.json") }

// NotifiedFile gives the path of the file that says what a person was notified of.
func (h Home) NotifiedFile() string { return filepath.Join(h.dir, "notified.json") }

// WebViewDir gives the directory in which the window's web view may keep its own
// things, on systems where it asks for one.
func (h Home) WebViewDir() string { return filepath.Join(h.dir, "webview") }

func (h Home) configFile() string   { return filepath.Join(h.dir, "config.json") }
func (h Home) previousFile() string { return filepath.Join(h.dir, "config.json.1") }
func (h Home) certFile() string     { return filepath.Join(h.dir, "cert.pem") }
func (h Home) keyFile() string      { return filepath.Join(h.dir, "key.pem") }
func (h Home) lockFile() string     { return filepath.Join(h.dir, "lock") }
func (h Home) windowLock() string   { return filepath.Join(h.dir, "window.lock") }

// create makes the directory for this user alone if it is not there. One that
// is there and empty is taken over in the same way; any other is left as it is.
func (h Home) create() error {
	err := os.MkdirAll(filepath.Dir(h.dir), 0o700)
	if err == nil {
		err = os.Mkdir(h.dir, 0o700)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fault.Wrap(fault.Node, "", "make the home", "", err)
	}
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return fault.Wrap(fault.Node, "", "open the home (choose another with --home)", "", err)
	}
	if len(entries) > 0 {
		return nil
	}
	return fault.Wrap(fault.Node, "", "make the home private", "", makePrivate(h.dir))
}

// Exposed names what of the home other users of this computer can read, "" for
// nothing: the key or the directory itself.
func (h Home) Exposed() (string, error) {
	for _, name := range []string{h.keyFile(), h.dir} {
		open, err := readableByOthers(name)
		if err != nil {
			return "", fmt.Errorf("look at the permissions of the home: %w", err)
		}
		if open {
			return name, nil
		}
	}
	return "", nil
}

// Written gives when something in the home was last written, by the clock of that
// time; zero where nothing can be read.
func (h Home) Written() (last time.Time) {
	for _, dir := range []string{h.dir, h.IndexDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // there is none yet
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
	}
	return last
}
