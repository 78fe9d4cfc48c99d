// Package config holds what a person decided: this device's name, the other
// devices, the folders and who shares them. It owns the home directory with
// the configuration file, the identity and the lock that keeps one engine per
// home.
//
// A Config is an immutable value: a change makes a new one, and Store writes
// it durably before anyone acts on it.
package config

import (
	"os"
	"slices"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// FolderType is how this device takes part in a folder, as it stands in the
// file and on the command line.
type FolderType string

// The folder types.
const (
	SendReceive      FolderType = "send-receive"
	SendOnly         FolderType = "send-only"
	ReceiveOnly      FolderType = "receive-only"
	ReceiveEncrypted FolderType = "receive-encrypted"
)

// BEP gives the type's number on the wire, and false for an unknown type.
func (t FolderType) BEP() (bep.FolderType, bool) {
	switch t {
	case SendReceive:
		return bep.SendReceive, true
	case SendOnly:
		return bep.SendOnly, true
	case ReceiveOnly:
		return bep.ReceiveOnly, true
	case ReceiveEncrypted:
		return bep.ReceiveEncrypted, true
	default:
		return 0, false
	}
}

// Config is the whole configuration. Treat it and its lists as read-only.
type Config struct {
	Version int      `json:"version"`
	Name    string   `json:"name"`   // of this device, told to peers
	Listen  []string `json:"listen"` // URLs; empty: the default
	Devices []Device `json:"devices"`
	Folders []Folder `json:"folders"`
	// Networks are those that a person was asked about, the latest last.
	Networks []Network `json:"networks"`

	Pending  []Pending `json:"pending"`
	Removed  []Removed `json:"removed"` // the last one last
	ByNumber ByNumber  `json:"by_number"`
}

// Device is another device.
type Device struct {
	ID        device.ID `json:"id"`
	Name      string    `json:"name"`
	Addresses []string  `json:"addresses"` // fixed, such as quic://192.0.2.1:22000
	Paused    bool      `json:"paused"`
	// PairKey is what the two recognise each other's announcements by; zero until
	// they have agreed on one.
	PairKey device.PairKey `json:"pair_key,omitzero"`
	// Paired says how it became a peer, and Since when: zero for devices that were
	// there before the file held that, which can only have been added by their ID.
	Paired status.PairingMethod `json:"paired"`
	Since  time.Time            `json:"since,omitzero"`
	// Revoked lists the other devices of ours that have removed it.
	Revoked []Revocation `json:"revoked,omitempty"`
}

// Network is a network that this computer was in.
type Network struct {
	ID      string `json:"id"` // what it is recognised by
	Name    string `json:"name"`
	Trusted bool   `json:"trusted"` // devices there may learn this device's ID
}

// Folder is a folder of this device.
type Folder struct {
	ID     bep.FolderID `json:"id"`
	Label  string       `json:"label"`
	Path   string       `json:"path"` // absolute, native
	Type   FolderType   `json:"type"`
	Shared []device.ID  `json:"shared"`
	Paused bool         `json:"paused"`
	// PausedUntil is when a pause ends by itself; zero where a person ends it.
	PausedUntil time.Time `json:"paused_until,omitzero"`
	NoBrake     bool      `json:"no_brake"` // the brake on mass deletions is off
	// MaxEntries is how many entries each other device may announce: 0 is the
	// engine's own limit, below it is none.
	MaxEntries int64 `json:"max_entries,omitempty"`
}

// Default gives the configuration of a new home: named after this computer,
// with no devices and no folders.
func Default() Config {
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "lanyard"
	}
	return Config{
		Version:  Version,
		Name:     name,
		Listen:   []string{},
		Devices:  []Device{},
		Folders:  []Folder{},
		Networks: []Network{},
		Pending:  []Pending{},
		Removed:  []Removed{},
	}
}

// IsNew reports whether nothing was configured yet, so that an identity may
// still be made.
func (c Config) IsNew() bool { return len(c.Devices) == 0 && len(c.Folders) == 0 }

// FindDevice finds a device by its ID, by the first group of its ID, or by its
// name if only one has it.
func (c Config) FindDevice(text string) (Device, error) {
	if id, err := device.Parse(text); err == nil {
		return c.deviceByID(id)
	}
	var found []Device
	for _, d := range c.Devices {
		if d.Name == text || strings.EqualFold(firstGroup(d.ID), text) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return Device{}, noDevice(text)
	case 1:
		return found[0], nil
	default:
		return Device{}, &Refusal{
			Reason: Invalid, Code: "device-ambiguous", Item: text,
			Text:   "more than one device is called " + quote(text),
			Remedy: `name the one you mean by its ID from "lanyard device list"`,
		}
	}
}

func (c Config) deviceByID(id device.ID) (Device, error) {
	for _, d := range c.Devices {
		if d.ID == id {
			return d, nil
		}
	}
	return Device{}, noDevice(firstGroup(id))
}

func noDevice(text string) error {
	return &Refusal{
		Reason: NotFound, Code: "device-unknown", Item: text,
		Text:   "there is no device " + quote(text),
		Remedy: `see "lanyard device list"`,
	}
}

func firstGroup(id device.ID) string {
	group, _, _ := strings.Cut(id.String(), "-")
	return group
}

// FindFolder finds a folder by its ID.
func (c Config) FindFolder(id bep.FolderID) (Folder, error) {
	for _, f := range c.Folders {
		if f.ID == id {
			return f, nil
		}
	}
	return Folder{}, &Refusal{
		Reason: NotFound, Code: "folder-unknown", Item: string(id),
		Text:   "there is no folder " + quote(string(id)),
		Remedy: `see "lanyard folder list"`,
	}
}

// WithDevice adds a device, also one that was removed before.
func (c Config) WithDevice(d Device) (Config, error) {
	if d.ID.IsZero() {
		return c, &Refusal{Reason: Invalid, Text: "a device needs an ID", Remedy: `the other device shows it with "lanyard id"`}
	}
	if _, err := c.deviceByID(d.ID); err == nil {
		return c, &Refusal{
			Reason: Exists, Code: "device-exists", Item: d.ID.String(),
			Text:   "device " + firstGroup(d.ID) + " is already there",
			Remedy: `see "lanyard device list"`,
		}
	}
	if err := CheckAddresses(d.Addresses); err != nil {
		return c, err
	}
	if d.Addresses == nil {
		d.Addresses = []string{}
	}
	if d.Name == "" {
		d.Name = firstGroup(d.ID)
	}
	if d.Paired == "" {
		d.Paired = status.ByID
	}
	c = c.welcomed(d.ID)
	c.Devices = append(slices.Clone(c.Devices), d)
	return c, nil
}

// WithoutDevice removes a device, also from every folder it shares, and notes
// that it was removed. What it said of others goes with it.
func (c Config) WithoutDevice(id device.ID, now time.Time) (Config, error) {
	d, err := c.deviceByID(id)
	if err != nil {
		return c, err
	}
	c = c.WithRemoved(Removed{ID: id, Name: d.Name, When: now, Peer: true})
	c.Devices = slices.DeleteFunc(slices.Clone(c.Devices), func(d Device) bool { return d.ID == id })
	for i := range c.Devices {
		c.Devices[i].Revoked = withoutRevocation(c.Devices[i].Revoked, id)
	}
	c.Folders = slices.Clone(c.Folders)
	for i := range c.Folders {
		c.Folders[i].Shared = without(c.Folders[i].Shared, id)
	}
	return c, nil
}

// WithDeviceChanged replaces a device by what change makes of it.
func (c Config) WithDeviceChanged(id device.ID, change func(Device) Device) (Config, error) {
	if _, err := c.deviceByID(id); err != nil {
		return c, err
	}
	c.Devices = slices.Clone(c.Devices)
	for i, d := range c.Devices {
		if d.ID == id {
			c.Devices[i] = change(d)
		}
	}
	return c, nil
}

// WithFolder adds a folder. That its place on disk may be used is for
// CheckPlace to say.
func (c Config) WithFolder(f Folder) (Config, error) {
	if err := CheckFolderID(f.ID); err != nil {
		return c, err
	}
	if _, err := c.FindFolder(f.ID); err == nil {
		return c, &Refusal{
			Reason: Exists, Code: "folder-exists", Item: string(f.ID),
			Text:   "folder " + quote(string(f.ID)) + " is already there",
			Remedy: "choose another ID with --id",
		}
	}
	if _, ok := f.Type.BEP(); !ok {
		return c, &Refusal{
			Reason: Invalid, Item: string(f.Type),
			Text:   "there is no folder type " + quote(string(f.Type)),
			Remedy: "use send-receive, send-only, receive-only or receive-encrypted",
		}
	}
	for _, id := range f.Shared {
		if _, err := c.deviceByID(id); err != nil {
			return c, err
		}
	}
	f.Shared = slices.Clone(f.Shared)
	slices.SortFunc(f.Shared, device.ID.Compare)
	f.Shared = slices.Compact(f.Shared)
	if f.Shared == nil {
		f.Shared = []device.ID{}
	}
	c.Folders = append(slices.Clone(c.Folders), f)
	return c, nil
}

// WithoutFolder removes a folder from the configuration; its files stay.
func (c Config) WithoutFolder(id bep.FolderID) (Config, error) {
	if _, err := c.FindFolder(id); err != nil {
		return c, err
	}
	c.Folders = slices.DeleteFunc(slices.Clone(c.Folders), func(f Folder) bool { return f.ID == id })
	return c, nil
}

// WithFolderChanged replaces a folder by what change makes of it.
func (c Config) WithFolderChanged(id bep.FolderID, change func(Folder) Folder) (Config, error) {
	if _, err := c.FindFolder(id); err != nil {
		return c, err
	}
	c.Folders = slices.Clone(c.Folders)
	for i, f := range c.Folders {
		if f.ID == id {
			c.Folders[i] = change(f)
		}
	}
	return c, nil
}

// SharedWith gives the folder shared with one more device.
func (f Folder) SharedWith(id device.ID) Folder {
	f.Shared = append(without(f.Shared, id), id)
	slices.SortFunc(f.Shared, device.ID.Compare)
	return f
}

// NotSharedWith gives the folder shared with one device less.
func (f Folder) NotSharedWith(id device.ID) Folder {
	f.Shared = without(f.Shared, id)
	return f
}

func without(ids []device.ID, id device.ID) []device.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(other device.ID) bool { return other == id })
}

// maxNetworks is how many networks are remembered; a person who is asked about
// another one forgets the oldest.
const maxNetworks = 256

// FindNetwork gives what a person said of a network, false for nothing yet.
func (c Config) FindNetwork(id string) (Network, bool) {
	i := slices.IndexFunc(c.Networks, func(n Network) bool { return n.ID == id })
	if i < 0 {
		return Network{}, false
	}
	return c.Networks[i], true
}

// WithNetwork notes what a person said of a network.
func (c Config) WithNetwork(n Network) (Config, error) {
	if n.ID == "" {
		return c, &Refusal{Reason: Invalid, Code: "network-unrecognisable", Item: n.Name, Text: "this network cannot be recognised again"}
	}
	c.Networks = append(slices.DeleteFunc(slices.Clone(c.Networks), func(o Network) bool { return o.ID == n.ID }), n)
	c.Networks = c.Networks[max(0, len(c.Networks)-maxNetworks):]
	return c, nil
}
