// Package service is the one contract for the window, the command line and the
// browser: what they may ask of a running device, as plain Go types and
// methods. Package app/web carries it over HTTP. All methods may be called
// from any goroutine; errors are turned by Describe into what travels.
package service

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"lanyard/app/activity"
	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/pairing/desk"
	"lanyard/app/text"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Service answers for one running device.
type Service struct {
	*Indexes
	engine  node.Engine
	desk    *desk.Desk
	texts   *text.Catalogue
	exposed string // file of the home that others can read, "" for none
	feed    *feed
	log     *activity.Log
	doors   doors
	stop    func()
	tell    func(context.Context) bool // nil where nobody can be told

	// networks lists those that this computer is in.
	networks func() []node.Network
	// announces reports whether this device is announced on the network.
	announces func() bool
}

// doors is where browsers come in: at one door, which may be opened late.
type doors struct {
	mu   sync.Mutex
	open Door                 // nil where no browser is let in
	by   func() (Door, error) // nil where none is opened late
}

// get gives the door, and opens it where it is not.
func (d *doors) get() (Door, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open != nil {
		return d.open, nil
	}
	if d.by == nil {
		return nil, &config.Refusal{
			Reason: config.Unavailable,
			Text:   "the engine lets no browser in",
			Remedy: `start it with "lanyard serve --web 127.0.0.1:8384"`,
		}
	}
	opened, err := d.by()
	if err != nil {
		return nil, err
	}
	d.open = opened
	return opened, nil
}

// New makes the service of a node; stop is called, once or more, when someone
// asks the program to end. It starts nothing: call Run.
func New(n *node.Node, stop func()) (*Service, error) {
	texts, err := text.Load("en")
	if err != nil {
		return nil, err
	}
	exposed, err := n.Store().Home().Exposed()
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "open home", "", err)
	}
	return &Service{
		Indexes: &Indexes{NewSettings(n.Store()), n.Engine()},
		engine:  n.Engine(),
		desk:    n.Desk(),
		texts:   texts,
		exposed: exposed,
		feed:    newFeed(),
		log:     n.Activity(),
		stop:    stop,

		networks:  n.Networks,
		announces: func() bool { return n.Finder() != nil },
	}, nil
}

// Run keeps the event stream going until ctx ends, and gives its cause.
func (s *Service) Run(ctx context.Context) error {
	return s.feed.run(ctx, s.engine.Changed, s.desk.Changed, s.looked)
}

// Stop asks the program to end. It returns before that.
func (s *Service) Stop(context.Context) error {
	s.stop()
	return nil
}

// LetIn says through which door browsers come. It is called before Run, if at
// all.
func (s *Service) LetIn(d Door) { s.doors.open = d }

// OpenBy says how a door is opened, for browsers of this computer alone, when
// the first one is invited and none is open. It is called before Run, if at all.
func (s *Service) OpenBy(open func() (Door, error)) { s.doors.by = open }

// Invite makes an address that lets one browser in, once. Where no door is open
// for browsers, it opens one.
func (s *Service) Invite(context.Context) (Invitation, error) {
	door, err := s.doors.get()
	if err != nil {
		return Invitation{}, err
	}
	address, until := door.Invite()
	return Invitation{Address: address, Until: until.UTC()}, nil
}

// Status gives the whole state now.
func (s *Service) Status(context.Context) (status.Snapshot, error) { return s.snapshot(), nil }

// Follow calls f with the present state and then with every new one, at most
// ten a second, until ctx ends or f fails. A slow f misses states and sees a
// gap in their numbers.
func (s *Service) Follow(ctx context.Context, f func(SnapshotEvent) error) error {
	return s.feed.follow(ctx, f)
}

// looked gives the state once the activity has taken from it what is new.
func (s *Service) looked() status.Snapshot {
	snap := s.snapshot()
	s.log.Look(snap)
	snap.Activity = s.log.Moved()
	return snap
}

// snapshot gives the engine's state with the texts of its problems and the
// program's own ones.
func (s *Service) snapshot() status.Snapshot {
	snap := s.engine.Snapshot()
	pairing, wrong := s.pairing(snap.Offers)
	snap.Pairing = pairing
	c := s.store.Config()
	snap.Removed = removedDevices(c)
	problems := s.wordedAll(append(slices.Clone(snap.Problems), wrong...))
	if s.exposed != "" {
		problems = append(problems, keyExposed(s.texts, s.exposed))
	}
	snap.Problems = problems
	folders := make([]status.Folder, 0, len(snap.Folders))
	for _, f := range snap.Folders {
		f.Problems = s.wordedAll(f.Problems)
		f.Problem = s.wordedPointer(f.Problem)
		if i := slices.IndexFunc(c.Folders, func(kept config.Folder) bool { return string(kept.ID) == f.ID }); i >= 0 {
			f.PausedUntil = c.Folders[i].PausedUntil
		}
		failed := make([]status.Failed, 0, len(f.Failed))
		for _, name := range f.Failed {
			name.Text = s.worded(status.Problem{Code: name.Code, Text: name.Text, Param: name.Param}).Text
			failed = append(failed, name)
		}
		f.Failed = failed
		folders = append(folders, f)
	}
	devices := make([]status.Device, 0, len(snap.Devices))
	peers := c.Devices
	for _, d := range snap.Devices {
		d.Problems = s.wordedAll(d.Problems)
		d.Problem = s.wordedPointer(d.Problem)
		if i := slices.IndexFunc(peers, func(p config.Device) bool { return p.ID.String() == d.ID }); i >= 0 {
			d.Paired, d.PairedAt = peers[i].Paired, peers[i].Since
		}
		devices = append(devices, d)
	}
	snap.Folders, snap.Devices = folders, devices
	snap.Offers = s.placed(snap.Offers)
	snap.Activity = s.log.Moved()
	return snap
}

func (s *Service) wordedAll(problems []status.Problem) []status.Problem {
	out := make([]status.Problem, 0, len(problems)+1)
	for _, p := range problems {
		out = append(out, s.worded(p))
	}
	return out
}

func (s *Service) wordedPointer(p *status.Problem) *status.Problem {
	if p == nil {
		return nil
	}
	worded := s.worded(*p)
	return &worded
}

// worded gives p the catalogue's sentence. Where the engine did not give all
// of its parameters, the engine's own text stays.
func (s *Service) worded(p status.Problem) status.Problem {
	s.texts.Word(&p)
	return p
}

// Scan scans and returns when the result is durable.
func (s *Service) Scan(ctx context.Context, req ScanRequest) error {
	if req.Folder == "" {
		if req.Path != "" {
			return &config.Refusal{Reason: config.Invalid, Text: "a path needs its folder"}
		}
		return s.scan(ctx, nil)
	}
	if req.Path == "" {
		return s.scan(ctx, []string{req.Folder})
	}
	id, p, err := s.name(req.Folder, req.Path)
	if err != nil {
		return err
	}
	return s.engine.Scan(ctx, id, []relpath.Path{p})
}

// scan scans whole folders one after the other: they share the disk.
func (s *Service) scan(ctx context.Context, folders []string) error {
	ids, err := s.folderIDs(folders)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.engine.Scan(ctx, id, nil); err != nil {
			return err
		}
	}
	return nil
}

// folderIDs checks that the named folders exist; where none are named it gives
// all that are not paused.
func (s *Service) folderIDs(named []string) ([]bep.FolderID, error) {
	c := s.store.Config()
	var ids []bep.FolderID
	for _, name := range named {
		f, err := c.FindFolder(bep.FolderID(name))
		if err != nil {
			return nil, err
		}
		ids = append(ids, f.ID)
	}
	if len(named) > 0 {
		return ids, nil
	}
	for _, f := range c.Folders {
		if !f.Paused {
			ids = append(ids, f.ID)
		}
	}
	return ids, nil
}

// Wait scans the folders and then waits until they are in sync, at most as
// long as the request says. Time that runs out is a result, not an error.
func (s *Service) Wait(ctx context.Context, req WaitRequest) (WaitResult, error) {
	ids, err := s.folderIDs(req.Folders)
	if err != nil {
		return WaitResult{}, err
	}
	var dev device.ID
	if req.Device != "" {
		d, err := s.store.Config().FindDevice(req.Device)
		if err != nil {
			return WaitResult{}, err
		}
		dev = d.ID
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(req.Seconds*float64(time.Second)))
	defer cancel()
	err = s.scan(limited, req.Folders)
	if err != nil && limited.Err() == nil {
		return WaitResult{}, err
	}
	scanned := err == nil
	// Also after a scan that was cut short: Wait then tells what is missing.
	waiting, err := s.engine.Wait(limited, ids, dev)
	if ctx.Err() != nil {
		return WaitResult{}, context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return WaitResult{}, err
	}
	result := WaitResult{InSync: scanned && err == nil && len(waiting) == 0, Missing: []Missing{}}
	for _, w := range waiting {
		m := Missing{Folder: string(w.Folder), Items: w.Items, Bytes: w.Bytes, Reason: w.Reason}
		if w.Problem != nil {
			m.Reason = s.worded(*w.Problem).Text
		}
		if !w.Device.IsZero() {
			m.Device = w.Device.String()
		}
		result.Missing = append(result.Missing, m)
	}
	return result, nil
}

// Why explains the state of a name, of the folder where path is empty.
func (s *Service) Why(ctx context.Context, folder, path string) (status.Why, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.Why{}, err
	}
	p := relpath.Root
	if path != "" {
		if p, err = parsePath(path); err != nil {
			return status.Why{}, err
		}
	}
	why, err := s.engine.Why(ctx, f.ID, p)
	return s.wordedWhy(why), err
}

// WhyDevice explains the state of another device.
func (s *Service) WhyDevice(ctx context.Context, dev string) (status.Why, error) {
	d, err := s.store.Config().FindDevice(dev)
	if err != nil {
		return status.Why{}, err
	}
	why, err := s.engine.WhyDevice(ctx, d.ID)
	return s.wordedWhy(why), err
}

func (s *Service) wordedWhy(why status.Why) status.Why {
	if why.Lacking == nil {
		why.Lacking = []string{}
	}
	why.More = s.wordedAll(why.More)
	s.texts.WordWhy(&why)
	return why
}

// Versions gives a part of the stored versions of a file, the newest first.
func (s *Service) Versions(ctx context.Context, folder, path string, w status.Window) (status.StoredVersions, error) {
	id, p, err := s.name(folder, path)
	if err != nil {
		return status.StoredVersions{}, err
	}
	versions, err := s.engine.Versions(ctx, id, p, bounded(w))
	return versions, named(err, codeNoVersions)
}

// Restore brings a stored version of a file back.
func (s *Service) Restore(ctx context.Context, folder string, req RestoreRequest) error {
	id, p, err := s.name(folder, req.Path)
	if err != nil {
		return err
	}
	to := relpath.Root
	if req.To != "" {
		if to, err = parsePath(req.To); err != nil {
			return err
		}
	}
	return named(s.engine.Restore(ctx, id, p, req.At, to), codeNoVersions)
}

func (s *Service) name(folder, path string) (bep.FolderID, relpath.Path, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return "", relpath.Root, err
	}
	p, err := parsePath(path)
	return f.ID, p, err
}

// Held lists the deletions that the brake holds in a folder.
func (s *Service) Held(_ context.Context, id string) ([]status.Held, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(id))
	if err != nil {
		return nil, err
	}
	for _, shown := range s.engine.Snapshot().Folders {
		if shown.ID == string(f.ID) && shown.HeldBack != nil {
			return shown.HeldBack, nil
		}
	}
	return []status.Held{}, nil
}

// HeldFiles gives a part of the files whose deletion is held in a folder in one
// direction, by name.
func (s *Service) HeldFiles(ctx context.Context, id string, direction status.Direction, w status.Window) (status.HeldFiles, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(id))
	if err != nil {
		return status.HeldFiles{}, err
	}
	out, err := s.engine.HeldFiles(ctx, f.ID, direction, bounded(w))
	return out, named(err, codeNotRunning)
}

// DecideHeld says what is to become of the deletions that the brake holds in a
// folder. It returns what was decided on once the decision is durable.
func (s *Service) DecideHeld(ctx context.Context, id string, d HeldDecision) ([]status.Held, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(id))
	if err != nil {
		return nil, err
	}
	choice := status.Choice(d.Do)
	if choice != status.ApplyHeld && choice != status.RestoreHeld {
		return nil, &config.Refusal{Reason: config.Invalid, Item: d.Do, Text: "held deletions are applied or restored", Remedy: `say "apply" or "restore"`}
	}
	held, err := s.engine.Decide(ctx, f.ID, choice, d.Token)
	if held == nil {
		held = []status.Held{}
	}
	return held, named(err, codeHeldChanged)
}
