package node

import (
	"context"
	"io/fs"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"lanyard/app/config"
	"lanyard/discovery/doctor"
	"lanyard/sync/fault"
	"lanyard/sync/status"
	"lanyard/sync/transport"
	"lanyard/sync/watch"
)

// Symptom is something that keeps devices from finding each other, or files from
// being in sync.
type Symptom struct {
	Check string // that found it
	On    string // network interface, device or folder, "" for all
	// Problem has no words yet.
	Problem status.Problem
}

// CheckWatches is the check of Watches.
const CheckWatches = "watches"

// Checks lists the checks that Examine makes.
func Checks() []string {
	var out []string
	for _, c := range doctor.Checks() {
		out = append(out, string(c))
	}
	return out
}

// Examine tries what devices find each other by, on every network interface, and
// looks at the ways to devices and at the clock. It gives the checks that were
// made and what they found. running says that an engine
// runs on this home: the port for connections is then its own, and is not looked
// at. It takes some seconds, and the end of ctx cuts it short.
func Examine(ctx context.Context, home config.Home, c config.Config, running bool) (checks []string, found []Symptom) {
	o, checks := doctor.Options{Port: transport.DefaultPort, Devices: located(c), Written: home.Written()}, Checks()
	if running {
		o.Port = 0
		checks = slices.DeleteFunc(checks, func(c string) bool { return c == string(doctor.Port) })
	}
	for _, f := range doctor.Examine(ctx, o) {
		found = append(found, Symptom{string(f.Check), f.Interface, problem(f.Err)})
	}
	return checks, found
}

// located lists the devices with fixed addresses that are numbers.
func located(c config.Config) []doctor.Device {
	var out []doctor.Device
	for _, d := range c.Devices {
		for _, a := range d.Addresses {
			u, err := url.Parse(a)
			if err != nil {
				continue // a Config has none such
			}
			if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
				out = append(out, doctor.Device{Name: d.Name, Address: ip.Unmap()})
			}
		}
	}
	return out
}

// Watches looks whether the system would report changes in all directories of
// the folders, if an engine ran: of those that come too late in the order of the
// configuration it would not. The end of ctx cuts it short. ok is false where the
// system has no such limit.
func Watches(ctx context.Context, c config.Config) (found []Symptom, ok bool) {
	free, ok := watch.Room()
	if !ok {
		return nil, false
	}
	return watches(ctx, c, free), true
}

func watches(ctx context.Context, c config.Config, free int) (found []Symptom) {
	for _, f := range c.Folders {
		if f.Paused {
			continue
		}
		n := directories(ctx, f.Path)
		if lacking := n - free; lacking > 0 {
			err := fault.With(
				fault.New(fault.Retry, "watch-limit", "of %d directories the system would watch %d", n, free),
				"n", strconv.Itoa(lacking), "folder", f.Label, "id", string(f.ID), "path", f.Path)
			found = append(found, Symptom{CheckWatches, f.Label, problem(err)})
		}
		free = max(0, free-n)
	}
	return found
}

// directories counts a directory and those below it, as far as they can be read.
func directories(ctx context.Context, root string) (n int) {
	// Whatever cannot be read is not watched either.
	_ = filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && e == nil:
			return err
		case err == nil && e.IsDir():
			n++
		}
		return nil
	})
	return n
}
