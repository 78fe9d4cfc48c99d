package peer

import (
	"fmt"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/index"
)

// Timers of a connection (BEP section 3.4), and the pause between two
// IndexUpdates while changes keep coming.
const (
	pingAfter     = 45 * time.Second
	silentAfter   = 300 * time.Second
	configTimeout = 60 * time.Second
	indexPause    = 50 * time.Millisecond
)

// LocalFolder is a folder that we share with the peer, as our ClusterConfig
// tells it.
type LocalFolder struct {
	ID     bep.FolderID
	Label  string
	Type   bep.FolderType
	Paused bool
	// Hold takes the peer's index and sends nothing of ours yet.
	Hold bool
	// Looking is Hold for a folder that we have not joined, and want to compare
	// with what is here.
	Looking  bool
	IndexID  bep.IndexID
	Sequence int64
	// Runs are the sequences that our index gave; nil where all up to Sequence
	// were given.
	Runs index.Runs
	// Devices are the others that share it, the peer among them, with what we
	// hold of their indexes.
	Devices []bep.Device
}

// holds reports whether nothing of ours is sent.
func (f *LocalFolder) holds() bool { return f.Hold || f.Looking }

// gave reports whether a sequence is one that our index gave.
func (f *LocalFolder) gave(seq int64) bool {
	switch {
	case seq > f.Sequence:
		return false
	case len(f.Runs) == 0:
		return true
	}
	return f.Runs.Gave(seq) || seq > f.Runs[len(f.Runs)-1].After
}

// device gives the entry of one of the others, nil where it does not share
// the folder.
func (f *LocalFolder) device(id device.ID) *bep.Device {
	for i := range f.Devices {
		if f.Devices[i].ID == id {
			return &f.Devices[i]
		}
	}
	return nil
}

// The events that Step takes.
type (
	// Configure sets what we share with the peer.
	Configure struct{ Folders []LocalFolder }
	// Received is a message of the peer's.
	Received struct{ Message bep.Message }
	// Page answers ReadPage: our entries after the sequence asked for, durable,
	// in order. No files means that there are none.
	Page struct {
		Folder  bep.FolderID
		Start   int // as in ReadPage
		Files   []bep.FileInfo
		Through int64 // sequence of the last
		More    bool  // there are more already
	}
	// PageSent tells that an Index or IndexUpdate was written.
	PageSent struct{ Folder bep.FolderID }
	// Changed tells that our index of a folder has new entries.
	Changed struct{ Folder bep.FolderID }
	// Ask asks the peer for a block.
	Ask struct {
		Request *bep.Request
		Deliver func(*bep.Response, error)
	}
	// Tell sends the peer a message of our own extensions.
	Tell struct{ Message *bep.Extension }
	// Tick tells the time and nothing else.
	Tick struct{}
	// Ended tells that the connection is gone.
	Ended struct{ Err error }
)

// Event is one of the types above.
type Event any

// The effects that Step gives.
type (
	// Send writes a message.
	Send struct{ Message bep.Message }
	// SendPage writes an Index or IndexUpdate, and PageSent follows.
	SendPage struct{ Message *bep.Index }
	// ReadPage reads our index after a sequence; a Page follows.
	ReadPage struct {
		Folder bep.FolderID
		Start  int // counts the starts of this folder's exchange
		After  int64
	}
	// Reset forgets what the peer announced for a folder.
	Reset struct {
		Folder  bep.FolderID
		IndexID bep.IndexID
	}
	// Store records what the peer announced.
	Store struct {
		Folder bep.FolderID
		Index  *bep.Index
	}
	// WentBack tells what the peer holds of an index of ours that is not the one
	// that we have, or not in this state. Nothing of the folder is sent until a
	// Configure follows.
	WentBack struct {
		Folder   bep.FolderID
		IndexID  bep.IndexID
		Sequence int64
		// Unmet: our index knew nothing of the peer's. Whatever is in ours was made
		// without knowing what the peer has.
		Unmet bool
	}
	// Told hands on a message of our own extensions.
	Told struct{ Message *bep.Extension }
	// Answer answers a request of the peer's.
	Answer struct{ Request *bep.Request }
	// Deliver gives the outcome of an Ask.
	Deliver struct {
		Ask      Ask
		Response *bep.Response
		Err      error
	}
	// Discard gives up an answer that nobody waits for.
	Discard struct{ Response *bep.Response }
	// Shares tells what the peer shares with us, anew.
	Shares struct{ Folders []RemoteFolder }
	// Drop ends the connection because of the peer's fault. Tell, where not
	// empty, is sent as Close first.
	Drop struct {
		Err  error
		Tell string
	}
)

// Effect is one of the types above.
type Effect any

// RemoteFolder is a folder in the peer's ClusterConfig.
type RemoteFolder struct {
	ID      bep.FolderID
	Label   string
	Stopped bool // paused there
	Joined  bool // we share it with the peer and it runs on both
	// IndexID and MaxSequence are what the peer says of its own index.
	IndexID     bep.IndexID
	MaxSequence int64
}

// Session is the conversation with one device on one connection, without the
// connection: a pure machine. It is not safe for concurrent use.
type Session struct {
	self, peer device.ID

	local    map[bep.FolderID]*LocalFolder
	former   map[bep.FolderID]bool // shared earlier on this connection
	remote   map[bep.FolderID]*bep.Folder
	exchange map[bep.FolderID]*exchange
	paging   map[bep.FolderID]bool    // a page is being read or written
	missed   map[bep.FolderID]bool    // entries were ignored and not told again yet
	told     map[bep.FolderID]holding // by WentBack
	starts   int                      // of exchanges
	asks     asks

	introduced bool             // our ClusterConfig was sent, which is to be the first message
	untold     []*bep.Extension // what waits for that

	begun        time.Time
	lastSent     time.Time
	lastReceived time.Time
	configured   bool // the peer's ClusterConfig came
	ended        bool
	cause        error // of the end, nil where this side wished it
	out          []Effect
}

// NewSession returns the conversation of self with peer, begun now.
func NewSession(self, peer device.ID, now time.Time) *Session {
	return &Session{
		self: self, peer: peer, begun: now, lastSent: now, lastReceived: now,
		local: map[bep.FolderID]*LocalFolder{}, former: map[bep.FolderID]bool{}, remote: map[bep.FolderID]*bep.Folder{},
		exchange: map[bep.FolderID]*exchange{},
		paging:   map[bep.FolderID]bool{}, missed: map[bep.FolderID]bool{}, told: map[bep.FolderID]holding{}, asks: asks{open: map[int32]openAsk{}},
	}
}

// Step takes an event and gives what is to be done, in order. The slice is
// valid until the next call.
func (s *Session) Step(now time.Time, ev Event) []Effect {
	s.out = s.out[:0]
	if s.ended {
		if a, ok := ev.(Ask); ok {
			s.emit(Deliver{Ask: a, Err: errEnded})
		}
		return s.out
	}
	switch ev := ev.(type) {
	case Configure:
		s.configure(now, ev.Folders)
	case Received:
		s.lastReceived = now
		s.received(now, ev.Message)
	case Page:
		s.page(now, ev)
	case PageSent:
		s.pageDone(now, ev.Folder)
	case Changed:
		if x := s.exchange[ev.Folder]; x != nil {
			x.dirty = true
			s.next(now, ev.Folder, x)
		}
	case Ask:
		s.ask(now, ev)
	case Tell:
		if s.introduced {
			s.send(now, ev.Message)
		} else {
			s.untold = append(s.untold, ev.Message)
		}
	case Tick:
		s.tick(now)
	case Ended:
		s.end(ev.Err)
	}
	return s.out
}

// Wake gives the time at which a Tick is due.
func (s *Session) Wake() time.Time {
	due := s.lastSent.Add(pingAfter)
	if !s.configured {
		due = earlier(due, s.begun.Add(configTimeout))
	}
	due = earlier(due, s.lastReceived.Add(silentAfter))
	if len(s.asks.open) > 0 {
		due = earlier(due, s.asks.due(s.asks.oldest))
	}
	for id, x := range s.exchange {
		if x.dirty && !s.paging[id] {
			due = earlier(due, x.last.Add(indexPause))
		}
	}
	return due
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// errEnded is what an Ask gets on a connection that is gone.
var errEnded = fault.New(fault.Retry, "", "the connection ended")

func (s *Session) emit(e Effect) { s.out = append(s.out, e) }

func (s *Session) send(now time.Time, m bep.Message) {
	s.lastSent = now
	s.emit(Send{m})
}

// drop ends the connection for a fault of the peer's.
func (s *Session) drop(format string, args ...any) {
	err := fault.New(fault.Peer, "", format, args...)
	s.emit(Drop{Err: err, Tell: err.Error()})
	s.end(err)
}

func (s *Session) end(err error) {
	if s.ended {
		return
	}
	s.ended, s.cause = true, err
	if err == nil {
		err = errEnded
	}
	s.endAsks(err)
}

// configure takes our side and tells the peer.
func (s *Session) configure(now time.Time, folders []LocalFolder) {
	for id := range s.local {
		s.former[id] = true
	}
	clear(s.local)
	cc := &bep.ClusterConfig{}
	for i := range folders {
		f := &folders[i]
		s.local[f.ID] = f
		cc.Folders = append(cc.Folders, bep.Folder{
			ID: f.ID, Label: f.Label, Stopped: f.Paused, Looking: f.Looking,
			Devices: append([]bep.Device{{ID: s.self, IndexID: f.IndexID, MaxSequence: f.Sequence}}, f.Devices...),
		})
	}
	s.send(now, cc)
	s.introduced = true
	for _, m := range s.untold {
		s.send(now, m)
	}
	s.untold = nil
	for id, x := range s.exchange {
		if f := s.local[id]; f == nil || f.Paused || f.holds() || f.IndexID != x.index {
			delete(s.exchange, id)
		}
	}
	if s.configured {
		s.begin(now, false)
		s.shares()
	}
}

func (s *Session) received(now time.Time, m bep.Message) {
	if !s.configured {
		switch m.(type) {
		case *bep.ClusterConfig, *bep.Close:
		default:
			s.drop("protocol error: the first message is a %T", m)
			return
		}
	}
	switch m := m.(type) {
	case *bep.ClusterConfig:
		s.clusterConfig(now, m)
	case *bep.Index:
		s.index(m)
	case *bep.Request:
		s.emit(Answer{m})
	case *bep.Response:
		s.response(now, m)
	case *bep.Extension:
		s.emit(Told{m})
	case *bep.Close:
		err := fault.New(fault.Retry, "", "the device closed the connection: %s", bep.CleanName(m.Reason))
		s.emit(Drop{Err: err})
		s.end(err)
	}
}

func (s *Session) clusterConfig(now time.Time, m *bep.ClusterConfig) {
	if m.Secondary {
		s.configured = true // an extra connection carries requests alone
		return
	}
	remote := make(map[bep.FolderID]*bep.Folder, len(m.Folders))
	for i := range m.Folders {
		f := &m.Folders[i]
		if s.deviceIn(f, s.self) == nil || s.deviceIn(f, s.peer) == nil {
			s.drop("protocol error: folder %q does not list both devices", bep.CleanName(string(f.ID)))
			return
		}
		remote[f.ID] = f
	}
	s.remote = remote
	s.configured = true
	s.begin(now, true)
	s.shares()
}

func (s *Session) deviceIn(f *bep.Folder, id device.ID) *bep.Device {
	for i := range f.Devices {
		if f.Devices[i].ID == id {
			return &f.Devices[i]
		}
	}
	return nil
}

// folders lists the peer's folders in a fixed order.
func (s *Session) folders() []bep.FolderID {
	ids := make([]bep.FolderID, 0, len(s.remote))
	for id := range s.remote {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (s *Session) tick(now time.Time) {
	switch {
	case now.Sub(s.lastReceived) >= silentAfter:
		s.drop("nothing was heard for %v", silentAfter)
		return
	case !s.configured && now.Sub(s.begun) >= configTimeout:
		s.drop("no cluster configuration came for %v", configTimeout)
		return
	}
	if s.expireAsks(now); s.ended {
		return
	}
	if now.Sub(s.lastSent) >= pingAfter {
		s.send(now, &bep.Ping{})
	}
	ids := make([]bep.FolderID, 0, len(s.exchange))
	for id := range s.exchange {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s.next(now, id, s.exchange[id])
	}
}

// shares tells what the peer shares.
func (s *Session) shares() {
	out := make([]RemoteFolder, 0, len(s.remote))
	for _, id := range s.folders() {
		rf, lf := s.remote[id], s.local[id]
		if rf.Looking {
			continue // it has not joined
		}
		theirs := s.deviceIn(rf, s.peer)
		out = append(out, RemoteFolder{
			ID: id, Label: bep.CleanName(rf.Label), Stopped: rf.Stopped,
			Joined:  lf != nil && !lf.Paused && !lf.Looking && !rf.Stopped,
			IndexID: theirs.IndexID, MaxSequence: theirs.MaxSequence,
		})
	}
	s.emit(Shares{out})
}

// String describes the session in logs.
func (s *Session) String() string {
	return fmt.Sprintf("session with %v: %d folders, %d open requests", s.peer.Short(), len(s.exchange), len(s.asks.open))
}
