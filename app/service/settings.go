package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"lanyard/app/config"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// Settings is the part of the contract that needs no running engine: who this
// device is, and what is configured. Every change is durable when its method
// returns.
type Settings struct{ store *config.Store }

// NewSettings gives the settings of an open home.
func NewSettings(store *config.Store) *Settings { return &Settings{store} }

// Identity tells who this device is.
func (s *Settings) Identity(context.Context) (Identity, error) {
	return Identity{ID: s.store.Identity().ID.String(), Name: s.store.Config().Name}, nil
}

// ChangeIdentity gives this device another name, which the other devices are
// told. Its ID stays.
func (s *Settings) ChangeIdentity(ctx context.Context, change IdentityChange) (Identity, error) {
	name := bep.CleanName(change.Name)
	if name == "" {
		return Identity{}, &config.Refusal{Reason: config.Invalid, Code: "name-empty", Text: "a device needs a name"}
	}
	err := s.store.Update(func(c config.Config) (config.Config, error) {
		c.Name = name
		return c, nil
	})
	if err != nil {
		return Identity{}, err
	}
	return s.Identity(ctx)
}

// Devices lists the configured devices.
func (s *Settings) Devices(context.Context) ([]Peer, error) {
	devices := s.store.Config().Devices
	out := make([]Peer, 0, len(devices))
	for _, d := range devices {
		out = append(out, peer(d))
	}
	return out, nil
}

func peer(d config.Device) Peer {
	return Peer{ID: d.ID.String(), Name: d.Name, Addresses: d.Addresses, Paused: d.Paused, Paired: d.Paired, Since: d.Since}
}

// AddDevice adds a device.
func (s *Settings) AddDevice(_ context.Context, req NewPeer) (Peer, error) {
	id, err := parseID(req.ID)
	if err != nil {
		return Peer{}, err
	}
	if id == s.store.Identity().ID {
		return Peer{}, &config.Refusal{
			Reason: config.Invalid, Code: "pairing-self", Item: id.String(),
			Text:   "this is the ID of this computer",
			Remedy: "give it to the other device, and add that one's ID here",
		}
	}
	if err := config.CheckDialable(req.Addresses); err != nil {
		return Peer{}, err
	}
	var added config.Device
	err = s.store.Update(func(c config.Config) (config.Config, error) {
		next, err := c.WithDevice(config.Device{ID: id, Name: req.Name, Addresses: req.Addresses, Since: time.Now().UTC()})
		if err != nil {
			return c, err
		}
		added, err = next.FindDevice(id.String())
		return next, err
	})
	return peer(added), err
}

// RemovedDevices lists the devices that were removed, the last one first. They get
// nothing from this one until a person connects or adds them again.
func (s *Settings) RemovedDevices(context.Context) ([]status.RemovedDevice, error) {
	return removedDevices(s.store.Config()), nil
}

func removedDevices(c config.Config) []status.RemovedDevice {
	out := []status.RemovedDevice{}
	for _, r := range slices.Backward(c.Removed) {
		if r.Peer {
			out = append(out, status.RemovedDevice{ID: r.ID.String(), Name: r.Name, Time: r.When.UTC()})
		}
	}
	return out
}

// RemoveDevice removes a device, also from the folders it shares. With an engine
// its connections have ended when the call returns, or end at once.
func (s *Settings) RemoveDevice(_ context.Context, dev string) error {
	return s.store.Update(func(c config.Config) (config.Config, error) {
		d, err := c.FindDevice(dev)
		if err != nil {
			return c, err
		}
		return c.WithoutDevice(d.ID, time.Now().UTC())
	})
}

// ChangeDevice renames, pauses or resumes a device. One that is resumed stays,
// whatever other devices have said of it.
func (s *Settings) ChangeDevice(_ context.Context, dev string, change PeerChange) (Peer, error) {
	var changed config.Device
	err := s.store.Update(func(c config.Config) (config.Config, error) {
		d, err := c.FindDevice(dev)
		if err != nil {
			return c, err
		}
		if change.Name != nil && *change.Name == "" {
			return c, &config.Refusal{Reason: config.Invalid, Code: "name-empty", Text: "a device needs a name"}
		}
		return c.WithDeviceChanged(d.ID, func(d config.Device) config.Device {
			set(&d.Name, change.Name)
			set(&d.Paused, change.Paused)
			if change.Paused != nil && !*change.Paused {
				d = d.Kept()
			}
			changed = d
			return d
		})
	})
	return peer(changed), err
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// Folders lists the configured folders.
func (s *Settings) Folders(context.Context) ([]Share, error) {
	folders := s.store.Config().Folders
	out := make([]Share, 0, len(folders))
	for _, f := range folders {
		out = append(out, share(f))
	}
	return out, nil
}

func share(f config.Folder) Share {
	out := Share{
		ID: string(f.ID), Label: f.Label, Path: f.Path, Type: string(f.Type),
		Devices: make([]string, 0, len(f.Shared)), Paused: f.Paused, NoBrake: f.NoBrake, MaxEntries: f.MaxEntries,
	}
	for _, id := range f.Shared {
		out.Devices = append(out.Devices, id.String())
	}
	return out
}

// AddFolder adds a folder, and makes its directory and its marker.
func (s *Settings) AddFolder(_ context.Context, req NewShare) (Share, error) {
	shared, err := s.findDevices(req.Devices)
	if err != nil {
		return Share{}, err
	}
	return s.addFolder(config.Folder{
		ID:      bep.FolderID(req.ID),
		Label:   req.Label,
		Path:    req.Path,
		Type:    config.FolderType(req.Type),
		Shared:  shared,
		NoBrake: req.NoBrake,
	})
}

func (s *Settings) findDevices(names []string) ([]device.ID, error) {
	c := s.store.Config()
	ids := make([]device.ID, 0, len(names))
	for _, name := range names {
		d, err := c.FindDevice(name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, d.ID)
	}
	return ids, nil
}

// addFolder checks everything before it touches the disk, so that a refusal
// leaves no trace.
func (s *Settings) addFolder(f config.Folder) (Share, error) {
	if f.ID == "" {
		f.ID = config.NewFolderID()
	}
	if f.Type == "" {
		f.Type = config.SendReceive
	}
	made := false
	err := s.store.Update(func(c config.Config) (config.Config, error) {
		if err := c.CheckPlace(s.store.Home(), f.Path); err != nil {
			return c, err
		}
		f.Path = filepath.Clean(f.Path)
		if f.Label == "" {
			f.Label = filepath.Base(f.Path)
		}
		next, err := c.WithFolder(f)
		if err != nil {
			return c, err
		}
		_, err = os.Stat(f.Path)
		made = errors.Is(err, fs.ErrNotExist)
		return next, f.MakeRoot()
	})
	if err != nil {
		return Share{}, err
	}
	added, err := s.folder(f.ID)
	added.Made = made
	return added, err
}

func (s *Settings) folder(id bep.FolderID) (Share, error) {
	f, err := s.store.Config().FindFolder(id)
	return share(f), err
}

// RemoveFolder removes a folder from the configuration; its files stay.
func (s *Settings) RemoveFolder(_ context.Context, folder string) error {
	return s.store.Update(func(c config.Config) (config.Config, error) {
		return c.WithoutFolder(bep.FolderID(folder))
	})
}

// ChangeFolder pauses or resumes a folder.
func (s *Settings) ChangeFolder(_ context.Context, folder string, change ShareChange) (Share, error) {
	return s.editFolder(folder, func(_ config.Config, f config.Folder) (config.Folder, error) {
		if change.Paused != nil {
			f.Paused, f.PausedUntil = *change.Paused, time.Time{}
		}
		set(&f.MaxEntries, change.MaxEntries)
		return f, nil
	})
}

// PauseAll pauses every folder, until a time or, where that is zero, until a
// person resumes it; or resumes them all.
func (s *Settings) PauseAll(_ context.Context, paused bool, until time.Time) error {
	return s.store.Update(func(c config.Config) (config.Config, error) {
		if !paused {
			return c.WithAllResumed(), nil
		}
		return c.WithAllPaused(until), nil
	})
}

// ShareFolder shares a folder with a device.
func (s *Settings) ShareFolder(_ context.Context, folder, dev string) (Share, error) {
	return s.editFolder(folder, func(c config.Config, f config.Folder) (config.Folder, error) {
		d, err := c.FindDevice(dev)
		return f.SharedWith(d.ID), err
	})
}

// UnshareFolder stops sharing a folder with a device.
func (s *Settings) UnshareFolder(_ context.Context, folder, dev string) (Share, error) {
	return s.editFolder(folder, func(c config.Config, f config.Folder) (config.Folder, error) {
		d, err := c.FindDevice(dev)
		if err == nil && !slices.Contains(f.Shared, d.ID) {
			err = &config.Refusal{
				Reason: config.NotFound, Code: "not-shared-with", Item: dev,
				Text: "the folder " + strconv.Quote(folder) + " is not shared with " + strconv.Quote(d.Name),
			}
		}
		return f.NotSharedWith(d.ID), err
	})
}

func (s *Settings) editFolder(folder string, edit func(config.Config, config.Folder) (config.Folder, error)) (Share, error) {
	id := bep.FolderID(folder)
	err := s.store.Update(func(c config.Config) (config.Config, error) {
		f, err := c.FindFolder(id)
		if err != nil {
			return c, err
		}
		if f, err = edit(c, f); err != nil {
			return c, err
		}
		return c.WithFolderChanged(id, func(config.Folder) config.Folder { return f })
	})
	if err != nil {
		return Share{}, err
	}
	return s.folder(id)
}
