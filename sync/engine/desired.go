// Package engine runs all folders and peers of one device and brings them to
// a desired state. It is the only package of sync that app/node drives.
package engine

import (
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/plan"
	"lanyard/sync/status"
)

// Desired is the state that Apply brings the engine to: a value made anew for
// every change of the configuration.
type Desired struct {
	Name    string // of this device, told to peers
	Folders []FolderSpec
	Devices []DeviceSpec
	// Removed are devices that a person removed or turned away, the last one last.
	// They get nothing from us, not even our name. None of them is in Devices.
	Removed []Removal
}

// Removal is a device that was removed.
type Removal struct {
	ID   device.ID
	When time.Time
	// Peer: it was one, so our other devices are told.
	Peer bool
}

// FolderSpec is one folder. Zero fields mean the documented defaults.
type FolderSpec struct {
	ID     bep.FolderID
	Label  string
	Path   string // absolute, native
	Type   bep.FolderType
	Shared []device.ID // devices that share it, without this one
	Paused bool
	// NoBrake turns off the brake on mass deletions, and Brake sets its limits;
	// zero ones mean the defaults.
	NoBrake bool
	Brake   plan.Brake
	// VersionsFor is how long replaced and deleted files are kept: default 30
	// days; negative keeps none.
	VersionsFor time.Duration
	// RescanEvery is the pause between full scans: default 1 hour; negative
	// never.
	RescanEvery time.Duration
	// MaxEntries is how many entries each device may announce: default
	// 5,000,000; negative is no limit.
	MaxEntries int64
}

// DeviceSpec is one other device that may connect.
type DeviceSpec struct {
	ID        device.ID
	Name      string
	Addresses []string // fixed addresses, such as quic://192.0.2.1:22000
	Paused    bool
	// Revoked is another of our devices, which has removed this one: it is kept
	// disconnected until a person has decided. Zero for none.
	Revoked device.ID
}

// Addresses tells where devices may be. It is a hint: identity is proven by
// the certificate alone. discovery/book fulfils it.
type Addresses interface {
	// Candidates lists addresses to try, best first.
	Candidates(dev device.ID) []string
	// Succeeded and Failed note the outcome of a dial; Seen notes where a
	// device was that dialed us, over TCP from a port that it does not listen
	// on.
	Succeeded(dev device.ID, address string)
	Failed(dev device.ID, address string, err error)
	Seen(dev device.ID, address string)
	// Changed is sent to, without blocking, when a device may have become
	// reachable; the engine dials it at once.
	Changed() <-chan device.ID
}

// Waiting says what a Wait still lacks when its context ends.
type Waiting struct {
	Folder bep.FolderID
	Device device.ID // zero where it is this device
	Items  int64
	Bytes  int64
	Reason string
	// Problem is the reason where it has a name.
	Problem *status.Problem
}
