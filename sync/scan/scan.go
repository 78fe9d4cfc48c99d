// Package scan compares a folder's disk with its index and says what changed.
// It never writes to the index and changes nothing on the disk, except that a
// name in another Unicode normal form is renamed to form C.
//
// A scan has two halves. Walk reads disk and index side by side and gives
// Candidates: records that look right to store. Meanwhile others go on
// working, so the folder's one committer passes each batch through Confirm,
// at a time when nobody else changes the folder, and stores what is left.
//
// An absence is the one observation that destroys: it becomes a deletion
// everywhere. It counts only where the directory was listed whole and without
// error, under a root that proved to be the right one before and after.
// Whatever lies below something that could not be listed is not absent.
package scan

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// Matcher holds the folder's ignore rules.
type Matcher interface {
	// Match reports whether a name is ignored and, if it is a directory,
	// whether nothing below it can be wanted either.
	Match(p relpath.Path, dir bool) (ignored, skipDir bool)
}

// Options says what to scan and as whom. FS, Index and Pool are required.
type Options struct {
	FS    fsys.FS
	Index index.Folder
	// Pool hashes. With one worker everything runs on the caller's goroutine
	// and in a fixed order.
	Pool   *block.Pool
	Ignore Matcher // nil ignores nothing
	// SameRules promises that Ignore says what it said in the last complete
	// scan, so that an unchanged entry need not be matched again.
	SameRules bool
	Short     device.ShortID // this device
	Type      bep.FolderType
	// NoPermissions leaves permission bits out of comparisons and records.
	NoPermissions bool
	// Proof says whether the root still is this folder's: its marker. It is
	// called in addition to FS.Check. nil proves nothing more.
	Proof func() error
	// Gate is asked once, before the first absence is emitted, with all names
	// found absent, children before their parents. It returns those that may
	// be announced. nil lets all pass.
	Gate func(absent []relpath.Path) []relpath.Path
	// Patient leaves a big file that was written to within the last second for a
	// later scan (it counts as moved): whoever writes it is probably not done,
	// and every version of it costs.
	Patient bool
	// Sums asks for the sums of the blocks of changed files: a device that
	// shares the folder can find by them what only moved within the file.
	Sums bool
	// Doubt is a time, unix nanoseconds: stamps from then on prove nothing,
	// because the power may have gone between a file's bytes and its times. 0
	// doubts none.
	Doubt int64
	// Run tells this run of the program from others. A counter is raised by a
	// number of seconds, up to 18 hours, that follows from it and the name: what
	// is changed anew after a change was lost, by a backup put back, must not get
	// the counter that the lost one had, however fast it was or wrong the clock. 0
	// raises nothing.
	Run int64
	// Looked, if set, counts the files that were looked at, while the walk is on
	// its way.
	Looked *atomic.Int64
	// Now gives the time for version counters; nil is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Ignore == nil {
		o.Ignore = ignoreNothing{}
	}
	if o.Proof == nil {
		o.Proof = func() error { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// receives reports whether local changes stay local in this folder.
func (o *Options) receives() bool {
	return o.Type == bep.ReceiveOnly || o.Type == bep.ReceiveEncrypted
}

// proveRoot fails unless the root is the folder's own.
func (o *Options) proveRoot() error {
	if err := o.FS.Check(); err != nil {
		return err
	}
	return o.Proof()
}

type ignoreNothing struct{}

func (ignoreNothing) Match(relpath.Path, bool) (ignored, skipDir bool) { return false, false }

// Limits of a batch, so that a first scan is announced while it still runs.
const (
	maxBatchRecords = 250
	maxBatchBytes   = 16 << 20 // of hashed files
	maxBatchAge     = time.Second
)

// maxTemps bounds Result.Temps. What is left out costs no more than being
// fetched once more.
const maxTemps = 10_000

// Candidate is a change that Walk saw.
type Candidate struct {
	// Record is what to store, with a version of its own where the change
	// needs one. Its Sequence is 0.
	Record index.Record
	// Old is the local record that the disk was compared with, nil for none.
	Old *index.Record
	// Look is what the disk said; zero if Absent.
	Look fsys.Info
	// Absent: the name was not found.
	Absent bool
	// StampOnly: content, metadata and version are those of Old; only what we
	// know locally changed. Storing it tells peers nothing new.
	StampOnly bool
	// Unseen: the record was made from the rules alone (the name became
	// ignored); the disk was not looked at and need not be again.
	Unseen bool
}

// Problem is one name that could not be scanned. Err is a fault.Item, or a
// fault.Retry for what passes by itself, with a code where people should see
// it.
type Problem struct {
	Name string // slash-separated; may hold bytes that are no text
	Err  error
}

// Rename is a name that was brought to normal form C.
type Rename struct {
	From string // as it was on disk
	To   relpath.Path
}

// Result says what a Walk saw. Lists are in the byte order of names.
type Result struct {
	Seen       int   // entries on disk that take part
	Candidates int   // emitted
	Hashed     int64 // bytes
	Absent     int   // names found absent, before Gate
	// Moved names changed while they were looked at: scan them again.
	Moved []relpath.Path
	// Busy names could not be read now and perhaps can in a while: another
	// program holds them, or the disk failed. Problems has them as well.
	Busy []relpath.Path
	// Unlisted directories could not be listed: nothing is known below them.
	Unlisted []relpath.Path
	Problems []Problem
	// Temps are temporary files that may serve yet, at most 10,000 of them.
	Temps []relpath.Path
	// StaleTemps are temporary files that nobody has touched for a day.
	StaleTemps []relpath.Path
	Renamed    []Rename
}

// Walk compares the given subtrees, or the whole folder where there are none
// or one is the root, and passes what changed to emit in batches of at most
// 250 records. emit runs on the caller's goroutine; its error ends the walk.
//
// Absences come last and children before parents, so that the new name of a
// renamed file is announced before its old name goes. An error means that the
// walk did not reach its end: batches already emitted stay good.
func Walk(ctx context.Context, o Options, subtrees []relpath.Path, emit func([]Candidate) error) (Result, error) {
	o = o.withDefaults()
	if err := o.proveRoot(); err != nil {
		return Result{}, err
	}
	look, err := o.FS.Lstat(relpath.Root)
	if err != nil {
		return Result{}, err
	}
	peers, err := o.Index.Remotes()
	if err != nil {
		return Result{}, err
	}
	s := &session{Options: o, dev: look.Dev, peers: len(peers)}
	s.collector.emit = emit
	if o.Pool.Workers() > 1 {
		s.ahead = newAhead(o.FS)
		defer s.ahead.end()
	}
	if err := s.walkScopes(ctx, subtrees); err != nil {
		return s.result(), err
	}
	if err := o.proveRoot(); err != nil {
		return s.result(), err
	}
	err = s.emitAbsences(ctx)
	return s.result(), err
}

// session is one Walk.
type session struct {
	Options
	dev   uint64 // of the root: another one is another disk
	peers int    // that have an index: versions to adopt

	collector collector
	// submit has a job examined, put hands an outcome to the collector.
	submit func(context.Context, job) error
	put    func(outcome) error

	// The walking goroutine's own. absent holds names only, for a whole tree
	// may be gone.
	absent []relpath.Path
	seen   int
	listed listing // the last that find made
	ahead  *ahead
}

func (s *session) result() Result {
	r := s.collector.result
	r.Seen, r.Absent = s.seen, len(s.absent)
	slices.SortFunc(r.Moved, relpath.Path.Compare)
	slices.SortFunc(r.Busy, relpath.Path.Compare)
	slices.SortFunc(r.Unlisted, relpath.Path.Compare)
	slices.SortStableFunc(r.Problems, func(a, b Problem) int { return strings.Compare(a.Name, b.Name) })
	return r
}
