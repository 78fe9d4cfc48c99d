package service

import (
	"time"

	"lanyard/sync/device"
	"lanyard/sync/status"
)

// Identity is who this device is.
type Identity struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// IdentityChange asks to change how this device shows itself.
type IdentityChange struct {
	Name string `json:"name" doc:"told to the other devices"`
}

// Door lets browsers in.
type Door interface {
	// Invite makes an address that lets one browser in, and tells how long it
	// holds.
	Invite() (address string, until time.Time)
}

// Invitation is an address that lets one browser in, once.
type Invitation struct {
	Address string    `json:"address"`
	Until   time.Time `json:"until" doc:"when it runs out"`
}

// Peer is a configured device, as the command line lists it. Whether it is
// connected stands in the status.
type Peer struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Paused    bool     `json:"paused"`
	// Paired says how it became a peer, and Since when, where that is known.
	Paired status.PairingMethod `json:"paired" enum:"code,picture,link,number,id,request"`
	Since  time.Time            `json:"since,omitzero"`
}

// NewPeer asks to add a device.
type NewPeer struct {
	ID        string   `json:"id" doc:"device ID"`
	Name      string   `json:"name,omitempty" doc:"default: the first group of the ID"`
	Addresses []string `json:"addresses,omitempty" doc:"fixed addresses, such as quic://192.0.2.1:22000"`
}

// PeerChange asks to change a device; an absent field stays as it is.
type PeerChange struct {
	Name   *string `json:"name,omitempty"`
	Paused *bool   `json:"paused,omitempty"`
}

// Network is a network that this computer is in, or about which a person said
// something.
type Network struct {
	ID    string `json:"id" doc:"what it is recognised by; empty where it cannot be"`
	Name  string `json:"name"`
	Here  bool   `json:"here" doc:"this computer is in it"`
	Main  bool   `json:"main" doc:"the one of the way out; network-untrusted is about it"`
	Trust Trust  `json:"trust"`
}

// Trust is what a person said of a network.
type Trust string

// What a person may have said.
const (
	Trusted   Trust = "trusted"
	Untrusted Trust = "untrusted"
	Unasked   Trust = "unasked"
)

// NetworkTrust says whether devices in a network may learn this device's ID.
type NetworkTrust struct {
	Trusted bool `json:"trusted"`
}

// Share is a configured folder, as the command line lists it. Its state stands
// in the status.
type Share struct {
	ID      string   `json:"id"`
	Label   string   `json:"label"`
	Path    string   `json:"path"`
	Type    string   `json:"type"`
	Devices []string `json:"devices" doc:"IDs of the devices that share it"`
	Paused  bool     `json:"paused"`
	NoBrake bool     `json:"no_brake"`

	MaxEntries int64 `json:"max_entries" doc:"how many entries each device may announce; 0: 5,000,000; -1: no limit"`

	// Made is told of a folder that was just added, and stands nowhere.
	Made bool `json:"made,omitempty" doc:"of one that was just added: nothing was there, and a new, empty directory was made"`
}

// NewShare asks to add a folder.
type NewShare struct {
	Path    string   `json:"path" doc:"absolute; made if it is missing"`
	ID      string   `json:"id,omitempty" doc:"default: a random ID"`
	Label   string   `json:"label,omitempty" doc:"default: the last part of the path"`
	Type    string   `json:"type,omitempty" doc:"default: send-receive"`
	Devices []string `json:"devices,omitempty" doc:"devices to share it with: ID, first group or name"`
	NoBrake bool     `json:"no_brake,omitempty" doc:"turn off the brake on mass deletions"`
}

// ShareChange asks to change a folder; an absent field stays as it is.
type ShareChange struct {
	Paused     *bool  `json:"paused,omitempty"`
	MaxEntries *int64 `json:"max_entries,omitempty" doc:"how many entries each device may announce; 0: 5,000,000; -1: no limit"`
}

// ScanRequest asks for a scan.
type ScanRequest struct {
	Folder string `json:"folder,omitempty" doc:"default: every folder that is not paused"`
	Path   string `json:"path,omitempty" doc:"inside the folder; default: all of it"`
}

// WaitRequest asks to wait until folders are in sync. They are scanned first.
type WaitRequest struct {
	Folders []string `json:"folders,omitempty" doc:"default: every folder that is not paused"`
	Device  string   `json:"device,omitempty" doc:"ID, first group or name; default: every connected device"`
	Seconds float64  `json:"seconds" minimum:"0" doc:"how long to wait at most"`
}

// WaitResult is how a wait ended.
type WaitResult struct {
	InSync  bool      `json:"in_sync"`
	Missing []Missing `json:"missing" doc:"empty once in sync"`
}

// Missing is what was not in sync when a wait ended.
type Missing struct {
	Folder string `json:"folder"`
	Device string `json:"device" doc:"ID; empty where it is this device"`
	Items  int64  `json:"items"`
	Bytes  int64  `json:"bytes"`
	Reason string `json:"reason"`
}

// RestoreRequest asks for a stored version to come back.
type RestoreRequest struct {
	Path string    `json:"path" doc:"of the file inside the folder"`
	At   time.Time `json:"at,omitzero" doc:"when it was replaced or deleted; default: the newest"`
	To   string    `json:"to,omitempty" doc:"inside the folder; default: the same place"`
}

// HeldDecision says what is to become of deletions that the brake holds.
type HeldDecision struct {
	Do    string `json:"do" enum:"apply,restore" doc:"apply: delete them; restore: bring the files back"`
	Token string `json:"token,omitempty" doc:"of what was shown; anything else is not decided on. Default: all that is held"`
}

// SnapshotEvent is one event of the stream: the whole state, with a number
// that rises by one with every new state. A gap means that states were
// skipped.
type SnapshotEvent struct {
	Seq    string          `json:"seq"`
	Status status.Snapshot `json:"status"`
}

func parseID(text string) (device.ID, error) {
	id, err := device.Parse(text)
	if err != nil {
		return id, notAnID(err)
	}
	return id, nil
}
