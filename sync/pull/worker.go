package pull

import (
	"cmp"
	"log/slog"
	"sync/atomic"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Source gives blocks of connected devices. Methods may be called from any
// goroutine.
type Source interface {
	// Load tells how many answers a device owes us, false where it cannot be
	// asked for blocks of this folder.
	Load(dev device.ID) (int, bool)
	// Request asks for a block. deliver is called once, on any goroutine, with
	// an answer or an error.
	Request(dev device.ID, req *bep.Request, deliver func(*bep.Response, error))
	// Release takes back an answer whose data is not used any more.
	Release(resp *bep.Response)
}

// Archive is where versions go that a pull replaces or deletes.
type Archive interface {
	// Prepare gives a free name in the store for a version of p that goes now,
	// and the directories that were made for it.
	Prepare(p relpath.Path, now time.Time) (dst relpath.Path, made []relpath.Path, err error)
}

// Options of a Worker. FS, Index, Exec, Disk, Source and Prove are required.
type Options struct {
	Folder bep.FolderID
	Self   device.ShortID // this device
	Role   bep.FolderType
	FS     fsys.FS
	Index  index.Folder
	Exec   exec.Executor
	// Disk is the turn of whoever compares or changes the state of the disk and
	// the index together: the scanner's stores and the puller's commits.
	Disk   *exec.Serial
	Source Source
	// Archive keeps what goes; nil keeps nothing but conflict copies.
	Archive Archive
	// Ignored is the folder's rules; nil ignores nothing.
	Ignored func(relpath.Path) bool
	// Deletable is the rules' word that an ignored name may go with its
	// directory; nil means none may.
	Deletable func(relpath.Path) bool
	// Prove proves that the folder's root is what it was, before a batch
	// changes anything.
	Prove func() error
	// Parked is called when a round waits for big files alone, with what it did
	// so far; nil is fine. It must not block.
	Parked func(Result)
	// Brake holds mass deletions back; nil lets all through.
	Brake Brake
	// Stored is called on the Disk turn after records were stored: they may
	// be announced.
	Stored func()
	// Did is called on the Disk turn with each file that records were stored of,
	// before Stored; nil is fine. It must not block.
	Did func(status.Deed)
	// MaxMoved is how many names a directory may hold that is renamed in one
	// step; of a larger one, the directories in it are. Default 20,000.
	MaxMoved int
	// MaxLists is how many blocks may be in the lists of the big files that are
	// gathered, and as many in those that wait for a device. Default 131,072.
	MaxLists int
	// Workers is how many names are prepared, and how many blocks are verified
	// and written, side by side. Default 2.
	Workers int
	Log     *slog.Logger
}

// Limits of one round, starting values.
const (
	maxOpen     = 512      // names being worked on
	maxFiles    = 32       // files of more than one block being gathered
	maxBytes    = 32 << 20 // asked for and not yet written
	maxRequests = 512      // the same, counted
	batchItems  = 250
	batchBytes  = 16 << 20
	batchAge    = 100 * time.Millisecond
	pageSize    = 500
	maxFailed   = 10_000 // names kept with the reason
	maxDeletes  = 10_000 // deletions of one pass
	// maxPasses bounds how often a round goes through the names again for the
	// sake of those that had to wait for another one.
	maxPasses = 3
)

// Result is how a round ended.
type Result struct {
	// Changed is how many names were brought to the wanted state.
	Changed int
	// Rescan lists names whose disk state was not what the index says, and
	// conflict copies that were made.
	Rescan []relpath.Path
	// Failed gives the reason for each name that could not be pulled.
	Failed map[relpath.Path]error
	// Space is set where something was left out because the disk is full.
	Space *Space
	// Unavailable counts files that no connected device can give.
	Unavailable int
	// Again is set when names changed while the round was on its way, so that
	// another round may find more.
	Again bool
	// Later is when another round is due, 0 for no such time: deletions wait
	// until no more of them arrive.
	Later time.Duration
	// Err ended the round early: a fault of the folder's.
	Err error
}

// Worker pulls one folder. Methods may be called from any goroutine.
type Worker struct {
	o    Options
	turn *exec.Serial // owns every field below
	prep *exec.Pool   // looks
	wr   *exec.Pool   // verification and writing

	copies *exec.Pool // local copies
	pieces pieces     // their buffers

	progress Progress
	unusable unusable
	leftOver claims // temporary files of one block that may hold it already
	// noExchange is set once the file system cannot exchange names.
	noExchange atomic.Bool

	debts map[device.ID]*debt // of devices that owe answers
	round *round
}

// NewWorker returns an idle Worker. It starts nothing.
func NewWorker(o Options) *Worker {
	o.Workers = cmp.Or(o.Workers, 2)
	o.MaxMoved = cmp.Or(o.MaxMoved, 20_000)
	o.MaxLists = cmp.Or(o.MaxLists, 1<<17)
	if o.Ignored == nil {
		o.Ignored = func(relpath.Path) bool { return false }
	}
	if o.Deletable == nil {
		o.Deletable = func(relpath.Path) bool { return false }
	}
	if o.Stored == nil {
		o.Stored = func() {}
	}
	if o.Did == nil {
		o.Did = func(status.Deed) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{
		o:     o,
		debts: map[device.ID]*debt{},
		turn:  exec.NewSerial(o.Exec),
		prep:  exec.NewPool(o.Exec, o.Workers),
		wr:    exec.NewPool(o.Exec, o.Workers),

		copies: exec.NewPool(o.Exec, copiersEach*o.Workers),
		pieces: make(pieces, copiersEach*o.Workers),
	}
}

// Start begins a round; done is called once, when it has ended. A round that
// is still on its way makes Start report false.
func (w *Worker) Start(done func(Result)) {
	w.turn.Post(func() {
		if w.round != nil {
			w.o.Log.Error("pull round started twice")
			return
		}
		w.round = newRound(w, done)
		w.round.fill()
	})
}

// Stop makes the round end soon: nothing new is begun, what is on its way is
// finished or dropped.
func (w *Worker) Stop() {
	w.turn.Post(func() {
		if w.round != nil {
			w.round.stop(nil)
		}
	})
}

// Refresh tells that the index has news: a round that is on its way goes
// through the names once more.
func (w *Worker) Refresh() {
	w.turn.Post(func() {
		if w.round != nil && !w.round.stopped {
			w.round.refresh = true
			w.round.fill()
		}
	})
}

// Wake tells the round that a device came, went, or became less busy.
func (w *Worker) Wake() {
	w.turn.Post(func() {
		if w.round != nil {
			w.round.takeUp()
			w.round.fill()
		}
	})
}

// LeftOver tells which temporary files stand on the disk. Files of more than
// one block find theirs without; where there is none for a small file, which is
// nearly always, it is not looked for.
func (w *Worker) LeftOver(temps []relpath.Path) { w.leftOver.set(temps) }

// Progress gives how far the round has come.
func (w *Worker) Progress() ProgressView { return w.progress.view() }
