package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lanyard/sync/fault"
)

// Version is the version of the file that this program writes.
const Version = 2

// migrations[v] turns a document of version v into one of version v+1. A
// document is what encoding/json makes of it, so that a migration can move
// fields that Config no longer has.
type migrations map[int]func(document map[string]any) error

// known lists the migrations up to Version.
func known() migrations {
	return migrations{
		1: func(map[string]any) error { return nil }, // fields came, whose absence is their default
	}
}

// decode reads a document of any known version, checks it and gives it in the
// present version.
func decode(data []byte, steps migrations, current int) (Config, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Config{}, err
	}
	if head.Version > current {
		return Config{}, fault.New(fault.Node, "home-newer",
			"the configuration has version %d and this program knows %d: install the newer Lanyard again or use another --home",
			head.Version, current)
	}
	data, err := migrate(data, head.Version, steps, current)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, err
	}
	return c.checked()
}

func migrate(data []byte, from int, steps migrations, current int) ([]byte, error) {
	if from == current {
		return data, nil
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	for v := from; v < current; v++ {
		step, ok := steps[v]
		if !ok {
			return nil, fmt.Errorf("version %d is not known", v)
		}
		if err := step(document); err != nil {
			return nil, fmt.Errorf("from version %d: %w", v, err)
		}
		document["version"] = v + 1
	}
	return json.Marshal(document)
}

// checked gives c rebuilt through the same rules that every change passes, so
// that a file edited by hand cannot hold what no command would accept.
func (c Config) checked() (Config, error) {
	if err := CheckAddresses(c.Listen); err != nil {
		return Config{}, err
	}
	out := Config{
		Version: c.Version, Name: c.Name, Listen: c.Listen, Devices: []Device{}, Folders: []Folder{}, Networks: []Network{},
		Pending: []Pending{}, Removed: []Removed{}, ByNumber: c.ByNumber,
	}
	for _, p := range c.Pending {
		out = out.WithPending(p)
	}
	for _, r := range c.Removed {
		out = out.WithRemoved(r)
	}
	if out.Listen == nil {
		out.Listen = []string{}
	}
	var err error
	for _, d := range c.Devices {
		if out, err = out.WithDevice(d); err != nil {
			return Config{}, err
		}
	}
	for _, n := range c.Networks {
		if out, err = out.WithNetwork(n); err != nil {
			return Config{}, err
		}
	}
	for _, f := range c.Folders {
		if !filepath.IsAbs(f.Path) {
			return Config{}, fmt.Errorf("the path %q of folder %q is not absolute", f.Path, f.ID)
		}
		if out, err = out.WithFolder(f); err != nil {
			return Config{}, err
		}
	}
	return out, nil
}

// load reads the configuration of a home. A home without one gets the default,
// unless an earlier version shows that there was one.
func (h Home) load() (Config, error) {
	data, err := os.ReadFile(h.configFile())
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(h.previousFile()); err == nil {
			return Config{}, fault.New(fault.Node, "",
				"%s is missing: copy %s there, or remove that as well to begin anew", h.configFile(), h.previousFile())
		}
		return Default(), nil
	}
	if err != nil {
		return Config{}, fault.Wrap(fault.Node, "", "read configuration", "", err)
	}
	c, err := decode(data, known(), Version)
	if err != nil && fault.CodeOf(err) == "" {
		return Config{}, fault.New(fault.Node, "",
			"%s cannot be used (%w): mend it, or put its previous version %s in its place",
			h.configFile(), err, h.previousFile())
	}
	return c, err
}

// save writes the configuration durably and keeps the previous file. At every
// instant config.json is either the old or the new one, whole.
func (h Home) save(c Config) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode configuration: %w", err)
	}
	temp, err := writeTemp(h.dir, append(data, '\n'))
	if err != nil {
		return fault.Wrap(fault.Node, "", "write configuration", "", err)
	}
	err = h.keepPrevious()
	if err == nil {
		err = os.Rename(temp, h.configFile())
	}
	if err == nil {
		err = syncDirectory(h.dir)
	}
	if err != nil {
		return errors.Join(fault.Wrap(fault.Node, "", "write configuration", "", err), removeIfThere(temp))
	}
	return nil
}

// keepPrevious copies config.json to config.json.1 in one step, so that the
// latter is never half a file.
func (h Home) keepPrevious() error {
	data, err := os.ReadFile(h.configFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return replace(h.previousFile(), data)
}

// Remember keeps a value as JSON in a file of the home: the old one or the new
// one, whole. After a power cut it may be the old one.
func Remember(file string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return replace(file, append(data, '\n'))
}

// replace puts a new file of mode 0600 in the place of another one, in one step.
// Its content is durable then, its name is not yet.
func replace(file string, data []byte) error {
	temp, err := writeTemp(filepath.Dir(file), data)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, file); err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	return nil
}

// writeTemp writes data durably to a new file of mode 0600 and gives its name.
func writeTemp(dir string, data []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, ".lanyard-*.tmp") // made with mode 0600 and O_EXCL
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
