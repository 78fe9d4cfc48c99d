package peer

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
)

// Wire carries frames to the device, in the order given. Methods may be called
// from any goroutine and do not block.
type Wire interface {
	// Send queues a frame.
	Send(f Frame)
	// Close ends the connection. tell, where not empty, is said to the peer
	// first as far as that is possible.
	Close(tell string)
}

// Frame is something to be written: a message, or bytes that are made when
// their turn comes.
type Frame struct {
	Message bep.Message
	// Append, where there is no Message, appends a complete frame to dst. It may
	// read from the disk.
	Append func(dst []byte) []byte
	// Sent, if set, is called when the frame was written or dropped.
	Sent func()
}

// Host does what a conversation needs done. Methods may be called from any
// goroutine and may block, except where they say otherwise.
type Host interface {
	// IndexPage reads our entries of a folder after a sequence, as they are to
	// be announced, and makes sure that they are durable.
	IndexPage(folder bep.FolderID, after int64) (files []bep.FileInfo, through int64, more bool, err error)
	// ResetIndex forgets what the device announced for a folder.
	ResetIndex(dev device.ID, folder bep.FolderID, id bep.IndexID) error
	// StoreIndex records what the device announced.
	StoreIndex(dev device.ID, m *bep.Index) error
	// WentBack tells what the device holds of an index of ours that is not the
	// one that we have, or not in this state: it may know of changes that were
	// lost here. The peer is configured anew afterwards, with another index ID
	// where it was the same one.
	WentBack(p *Peer, w WentBack) error
	// Answer appends the frame that answers a request of the device's.
	Answer(dev device.ID, dst []byte, req *bep.Request) []byte
	// Told hands over a message of Lanyard's own extensions, in the order in
	// which they and what the device announced came. An error is the device's
	// fault and ends the conversation.
	Told(p *Peer, m *bep.Extension) error
	// Shares tells what the device shares with us. It must not block.
	Shares(p *Peer, folders []RemoteFolder)
	// Ended tells that the conversation is over. It must not block.
	Ended(p *Peer, err error)
}

// Options of a Peer. All but Log are required.
type Options struct {
	Self, ID device.ID
	Hello    bep.Hello // the device's
	Exec     exec.Executor
	Host     Host
	Wire     Wire
	// Extended: the connection agreed on what Lanyards tell each other besides
	// BEP (docs/extensions.md).
	Extended bool
	// Release takes back answers that nobody waits for; nil leaves them to the
	// garbage collector.
	Release func(*bep.Response)
	Log     *slog.Logger
}

// Peer runs the conversation with one device over one connection. Methods may
// be called from any goroutine.
type Peer struct {
	o     Options
	turn  *exec.Serial // owns session and timer
	apply *exec.Serial // what the device announced, in order

	session *Session
	timer   func()
	due     time.Time

	mu     sync.Mutex
	shares []RemoteFolder
	closed bool
	owed   atomic.Int64 // answers that the device owes us
}

// New returns a Peer. It does nothing before Configure.
func New(o Options) *Peer {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("device", o.ID.Short().String())
	return &Peer{
		o: o, turn: exec.NewSerial(o.Exec), apply: exec.NewSerial(o.Exec),
		session: NewSession(o.Self, o.ID, o.Exec.Now()),
	}
}

// ID is the device.
func (p *Peer) ID() device.ID { return p.o.ID }

// Hello is what the device said of itself.
func (p *Peer) Hello() bep.Hello { return p.o.Hello }

// Configure sets what we share with the device, and tells it.
func (p *Peer) Configure(folders []LocalFolder) { p.post(Configure{folders}) }

// Changed tells that our index of a folder has new entries to announce.
func (p *Peer) Changed(folder bep.FolderID) { p.post(Changed{folder}) }

// Receive takes a message from the wire. done, if set, is called when the
// memory that it holds is free again.
func (p *Peer) Receive(m bep.Message, done func()) {
	ok := p.turn.Post(func() {
		p.step(Received{m}, done)
	})
	if !ok && done != nil {
		done()
	}
}

// Lost tells that the wire is gone.
func (p *Peer) Lost(err error) { p.post(Ended{err}) }

// Tell sends the device a message of Lanyard's own extensions, after those sent
// before. It reports false where the connection carries none.
func (p *Peer) Tell(m *bep.Extension) bool {
	return p.o.Extended && p.turn.Post(func() { p.step(Tell{m}, nil) })
}

// Request asks the device for a block; deliver is called once.
func (p *Peer) Request(req *bep.Request, deliver func(*bep.Response, error)) {
	p.owed.Add(1)
	ask := Ask{Request: req, Deliver: func(r *bep.Response, err error) {
		p.owed.Add(-1)
		deliver(r, err)
	}}
	if !p.turn.Post(func() { p.step(ask, nil) }) {
		ask.Deliver(nil, errEnded)
	}
}

// Load tells how many answers the device owes us, false where it does not
// share the folder with us now.
func (p *Peer) Load(folder bep.FolderID) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !slices.ContainsFunc(p.shares, func(f RemoteFolder) bool { return f.ID == folder && f.Joined }) {
		return 0, false
	}
	return int(p.owed.Load()), true
}

// Shares lists what the device shares with us.
func (p *Peer) Shares() []RemoteFolder {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.shares)
}

// Close ends the conversation; tell is said to the device where possible.
func (p *Peer) Close(tell string) {
	p.turn.Post(func() {
		p.o.Wire.Close(tell)
		p.step(Ended{}, nil)
	})
}

// cause gives why the conversation ended, once it was told of its end; lost
// where it says nothing. It waits for the turn.
func (p *Peer) cause(lost error) error {
	answer := make(chan error, 1)
	if !p.turn.Post(func() { answer <- p.session.cause }) {
		return lost
	}
	if err := <-answer; err != nil {
		return err
	}
	return lost
}

func (p *Peer) post(ev Event) { p.turn.Post(func() { p.step(ev, nil) }) }

// step runs on the turn. done is called when the last of what costs something
// was done: that is what makes a device wait that asks for more than we do.
func (p *Peer) step(ev Event, done func()) {
	applied := false
	for _, e := range p.session.Step(p.o.Exec.Now(), ev) {
		switch e := e.(type) {
		case Reset, Store, WentBack, Told:
			applied = true
		case Answer:
			p.answer(e, done)
			done = nil
			continue
		}
		p.carryOut(e)
	}
	if done != nil && !(applied && p.apply.Post(done)) {
		done()
	}
	if p.session.ended {
		p.finish()
		return
	}
	p.arm()
}

// answer queues the answer to a request; done is called when it was written.
func (p *Peer) answer(e Answer, done func()) {
	p.o.Wire.Send(Frame{
		Append: func(dst []byte) []byte { return p.o.Host.Answer(p.o.ID, dst, e.Request) },
		Sent:   done,
	})
}

// carryOut does what an effect says.
func (p *Peer) carryOut(e Effect) {
	switch e := e.(type) {
	case Send:
		if cc, ok := e.Message.(*bep.ClusterConfig); ok && !p.o.Extended {
			for i := range cc.Folders {
				cc.Folders[i].Looking = false // not a field of BEP
			}
		}
		p.o.Wire.Send(Frame{Message: e.Message})
	case SendPage:
		sent := PageSent{Folder: e.Message.Folder}
		p.o.Wire.Send(Frame{Message: e.Message, Sent: func() { p.post(sent) }})
	case ReadPage:
		p.o.Exec.Go(func() { p.readPage(e) })
	case Reset:
		p.apply.Post(func() { p.lostOn(p.o.Host.ResetIndex(p.o.ID, e.Folder, e.IndexID)) })
	case Store:
		p.apply.Post(func() { p.lostOn(p.o.Host.StoreIndex(p.o.ID, e.Index)) })
	case WentBack:
		p.apply.Post(func() { p.lostOn(p.o.Host.WentBack(p, e)) })
	case Told:
		p.apply.Post(func() { p.refuseOn(p.o.Host.Told(p, e.Message)) })
	case Deliver:
		e.Ask.Deliver(e.Response, e.Err)
	case Discard:
		if p.o.Release != nil {
			p.o.Release(e.Response)
		}
	case Shares:
		p.setShares(e.Folders)
	case Drop:
		p.o.Log.Info("connection dropped", "error", e.Err)
		p.o.Wire.Close(e.Tell)
	}
}

// lostOn ends the conversation when our own side cannot go on with it.
func (p *Peer) lostOn(err error) {
	if err == nil {
		return
	}
	p.o.Log.Error("index exchange failed", "error", err)
	p.o.Wire.Close("")
	p.post(Ended{err})
}

// refuseOn ends the conversation when the device said what no correct one says.
func (p *Peer) refuseOn(err error) {
	if err == nil {
		return
	}
	p.o.Log.Warn("message refused", "error", err)
	p.o.Wire.Close(err.Error())
	p.post(Ended{err})
}

func (p *Peer) readPage(e ReadPage) {
	files, through, more, err := p.o.Host.IndexPage(e.Folder, e.After)
	if err != nil {
		p.lostOn(err)
		return
	}
	if !p.o.Extended {
		for i := range files {
			files[i].Sums = nil
		}
	}
	p.post(Page{Folder: e.Folder, Start: e.Start, Files: files, Through: through, More: more})
}

func (p *Peer) setShares(folders []RemoteFolder) {
	p.mu.Lock()
	p.shares = folders
	p.mu.Unlock()
	p.o.Host.Shares(p, folders)
}

// finish closes what the conversation held.
func (p *Peer) finish() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	if !first {
		return
	}
	if p.timer != nil {
		p.timer()
	}
	err := p.session.cause
	// What was announced before the end still counts; then the device is gone.
	p.apply.Post(func() { p.o.Host.Ended(p, err) })
}

// arm sets the timer to when the session wants to be woken.
func (p *Peer) arm() {
	due := p.session.Wake()
	if p.timer != nil {
		if !due.Before(p.due) {
			return // an early tick does no harm and arms anew
		}
		p.timer()
	}
	p.due = due
	p.timer = p.o.Exec.After(max(due.Sub(p.o.Exec.Now()), time.Millisecond), func() {
		p.turn.Post(func() {
			p.timer = nil
			p.step(Tick{}, nil)
		})
	})
}
