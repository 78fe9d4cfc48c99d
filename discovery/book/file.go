package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lanyard/sync/device"
)

const (
	fileVersion = 1
	// maxFile bounds what is read, in bytes. 1000 devices with all their
	// addresses need less.
	maxFile = 16 << 20
)

// file is the book as it is kept on disk.
type file struct {
	Version int          `json:"version"`
	Devices []fileDevice `json:"devices"`
}

type fileDevice struct {
	ID        device.ID     `json:"id"`
	Met       time.Time     `json:"met,omitzero"`
	Addresses []fileAddress `json:"addresses"`
}

type fileAddress struct {
	Address   string               `json:"address"`
	DialedUs  bool                 `json:"dialed_us,omitempty"`
	FirstSeen time.Time            `json:"first_seen"`
	LastSeen  time.Time            `json:"last_seen"`
	LastOK    map[string]time.Time `json:"last_ok,omitempty"` // by network
}

// Save writes the file, if Options named one. After a crash it holds the old
// or the new book, never a part.
func (b *Book) Save() error {
	if b.opts.File == "" {
		return nil
	}
	b.saving.Lock()
	defer b.saving.Unlock()
	text, err := json.MarshalIndent(b.snapshot(), "", "  ")
	if err != nil {
		return fmt.Errorf("save address book: %w", err)
	}
	if err := replaceFile(b.opts.File, append(text, '\n')); err != nil {
		return fmt.Errorf("save address book: %w", err)
	}
	return nil
}

// snapshot gives what is worth keeping, in a fixed order.
func (b *Book) snapshot() file {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := file{Version: fileVersion, Devices: []fileDevice{}}
	for dev, e := range b.devices {
		d := fileDevice{ID: dev, Met: e.met.UTC()}
		for a, r := range e.records {
			if r.worthKeeping() {
				d.Addresses = append(d.Addresses, r.toFile(a))
			}
		}
		if len(d.Addresses) > 0 || !d.Met.IsZero() {
			slices.SortFunc(d.Addresses, func(x, y fileAddress) int { return strings.Compare(x.Address, y.Address) })
			f.Devices = append(f.Devices, d)
		}
	}
	slices.SortFunc(f.Devices, func(x, y fileDevice) int { return x.ID.Compare(y.ID) })
	return f
}

func (r *record) toFile(a Address) fileAddress {
	ok := make(map[string]time.Time, len(r.lastOK))
	for network, t := range r.lastOK {
		ok[network] = t.UTC()
	}
	return fileAddress{
		Address: a.String(), DialedUs: r.dialedUs,
		FirstSeen: r.firstSeen.UTC(), LastSeen: r.lastSeen.UTC(), LastOK: ok,
	}
}

// load reads the file into the empty book. A file that does not exist is no
// error.
func (b *Book) load() error {
	info, err := os.Stat(b.opts.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() > maxFile {
		return fmt.Errorf("%s has %d bytes and at most %d are expected", b.opts.File, info.Size(), maxFile)
	}
	text, err := os.ReadFile(b.opts.File)
	if err != nil {
		return err
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("read %s: %w", b.opts.File, err)
	}
	if f.Version != fileVersion {
		return fmt.Errorf("%s has version %d and this program knows %d", b.opts.File, f.Version, fileVersion)
	}
	for _, d := range f.Devices {
		b.loadDevice(d)
	}
	return nil
}

// loadDevice takes over one device, without addresses that cannot be used.
func (b *Book) loadDevice(d fileDevice) {
	e := b.entry(d.ID)
	e.met = d.Met
	for _, fa := range d.Addresses {
		a, err := parseDialable(fa.Address)
		if err != nil {
			b.opts.Log.Warn("an address in the file was left out", "error", err)
			continue
		}
		r := e.record(a, fa.LastSeen)
		r.firstSeen, r.dialedUs = fa.FirstSeen, fa.DialedUs
		for network, t := range fa.LastOK {
			r.worked(network, t)
		}
		r.lastSeen = fa.LastSeen
	}
	e.shrink()
}

// replaceFile writes content under a temporary name, makes it durable and
// renames it over path.
func replaceFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(writeSync(tmp, content), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

func writeSync(f *os.File, content []byte) error {
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}
