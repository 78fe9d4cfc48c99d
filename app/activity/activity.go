// Package activity keeps what happened on this device since the program
// started: the newest entries, in memory, of a bounded number. It is fed with
// what is done to files, one call each, and with the states of the engine, of
// which it notes what differs from one to the next.
package activity

import (
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"lanyard/sync/conflict"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Bounds of a Log. A first sync may bring a hundred thousand files within a
// minute: they must not push everything else out, nor cost memory each.
const (
	// Kept is how many entries there are at most; the oldest make room.
	Kept = 2000
	// Named is how many files of one burst get an entry of their own. The others
	// are counted in one more.
	Named = 50
	// burstFor is how long after its first file a burst takes up others: of one
	// folder, by one device, of which the same was done.
	burstFor = time.Minute
	// maxBursts bounds the bursts that go on at once: who made a version is what
	// a device says.
	maxBursts = 256
	// maxRecent is how many new files are remembered by their content, in which
	// the other half of a rename is found.
	maxRecent = 256
)

// Log is what happened. It may be used from any goroutine, and blocks nobody for
// longer than a look through it takes.
type Log struct {
	now   func() time.Time
	since time.Time

	mu     sync.Mutex // guards what follows, held for memory only
	ring   []entry    // that of number n stands at (n-1) % Kept
	last   uint64     // number of the newest
	moved  uint64     // rises with every change
	bursts map[burstKey]*burst
	recent [maxRecent]content
	next   int // place in recent

	seen *seen // owned by whoever calls Look
}

// entry is a Happening with who did it, where only the short ID is known.
type entry struct {
	status.Happening
	by device.ShortID
}

type burstKey struct {
	folder string
	what   status.What
	by     device.ShortID
}

type burst struct {
	began time.Time
	named int
	rest  uint64 // number of the entry that counts the others, 0 for none
}

// content is what a new file holds, and the number of the entry that tells of it.
type content struct {
	hash   [32]byte
	folder string
	by     device.ShortID
	entry  uint64
}

// New makes a Log; now gives the time.
func New(now func() time.Time) *Log {
	return &Log{now: now, since: now().UTC(), bursts: map[burstKey]*burst{}}
}

// Did notes what was done to a file of a folder, which people call label. It
// does not keep d.Content, and copies the names that it keeps.
func (l *Log) Did(folder, label string, d status.Deed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.What == status.FileDeleted && l.renamed(folder, label, &d) {
		return
	}
	e := entry{Happening: status.Happening{What: d.What, Folder: folder, Label: label, Path: d.Path, From: d.From, Bytes: d.Bytes}, by: d.By}
	if d.What == status.FileAdded {
		if original, ok := original(d.Path); ok {
			e.What, e.Path, e.From = status.FileSplit, original, d.Path
		}
	}
	n := l.burst(&e)
	if e.What == status.FileAdded && d.Bytes > 0 && len(d.Content) == len(content{}.hash) {
		l.recent[l.next] = content{[32]byte(d.Content), folder, d.By, n}
		l.next = (l.next + 1) % maxRecent
	}
}

// original gives the file that a conflict copy belongs to.
func original(path string) (string, bool) {
	p, err := relpath.Parse(path)
	if err != nil {
		return "", false
	}
	of, ok := conflict.Is(p)
	return of.String(), ok
}

// renamed reports whether a deletion is the other half of a rename, whose first
// half was noted as a new file a moment ago; it is told as a rename then.
func (l *Log) renamed(folder, label string, d *status.Deed) bool {
	if len(d.Content) != len(content{}.hash) {
		return false
	}
	for i := range l.recent {
		c := &l.recent[i]
		if c.entry == 0 || c.hash != [32]byte(d.Content) || c.folder != folder || c.by != d.By || !l.has(c.entry) {
			continue
		}
		e := l.at(c.entry)
		*c = content{}
		l.moved++
		if e.What == status.FileAdded && e.Count == 0 {
			e.What, e.From = status.FileRenamed, strings.Clone(d.Path)
			return true
		}
		// It was counted only: it is no more among those.
		e.Count--
		e.Bytes -= d.Bytes
		l.burst(&entry{Happening: status.Happening{What: status.FileRenamed, Folder: folder, Label: label, Path: d.Path, Bytes: d.Bytes}, by: d.By})
		return true
	}
	return false
}

// burst adds an entry of a file, or counts it with the others of its burst, and
// gives the number of the entry that tells of it.
func (l *Log) burst(e *entry) uint64 {
	now := l.now().UTC()
	key := burstKey{e.Folder, e.What, e.by}
	b := l.bursts[key]
	if b == nil || now.Sub(b.began).Abs() >= burstFor {
		maps.DeleteFunc(l.bursts, func(_ burstKey, b *burst) bool { return now.Sub(b.began).Abs() >= burstFor })
		if len(l.bursts) >= maxBursts {
			clear(l.bursts)
		}
		b = &burst{began: now}
		l.bursts[key] = b
	}
	if b.named < Named {
		b.named++
		e.Path, e.From = strings.Clone(e.Path), strings.Clone(e.From)
		return l.add(now, e)
	}
	if b.rest == 0 || !l.has(b.rest) {
		b.rest = l.add(now, &entry{Happening: status.Happening{What: e.What, Folder: e.Folder, Label: e.Label}, by: e.by})
	}
	rest := l.at(b.rest)
	rest.Time = now
	rest.Count++
	rest.Bytes += e.Bytes
	l.moved++
	return b.rest
}

// add adds an entry and gives its number.
func (l *Log) add(now time.Time, e *entry) uint64 {
	l.last++
	l.moved++
	e.Time, e.Seq = now, strconv.FormatUint(l.last, 10)
	if len(l.ring) < Kept {
		l.ring = append(l.ring, *e)
	} else {
		l.ring[(l.last-1)%Kept] = *e
	}
	return l.last
}

// has reports whether the entry of a number is kept.
func (l *Log) has(n uint64) bool { return n > 0 && n <= l.last && l.last-n < Kept }

func (l *Log) at(n uint64) *entry { return &l.ring[(n-1)%Kept] }

// Moved gives a text that is another one after each change of what Part gives.
func (l *Log) Moved() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strconv.FormatUint(l.moved, 10)
}
