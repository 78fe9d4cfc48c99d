package folder

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/vector"
)

// codeEmptied stops a folder that a scan finds without any of its files.
const codeEmptied = fault.Code("folder-emptied")

// Held is what the brake holds in one direction.
type Held struct {
	// Outgoing: a scan found the files gone here, and nobody saw them go; the
	// others are not told. Else another device deleted them, and they are kept
	// here.
	Outgoing bool
	// Emptied: nothing at all is left here; the folder stands still.
	Emptied            bool
	Since              time.Time
	LastSeen           time.Time // when everything was looked at and there; zero where unknown
	Files, Dirs, Links int64
	Bytes              int64
	Total              int64            // files of the folder, the held ones included
	By                 []device.ShortID // who deleted them, by their own word
	From               []device.ID      // who announces it
	Names              []relpath.Path   // the first of them
	// Token stands for exactly these deletions.
	Token string
}

// maxHeldNames is how many names a Held lists.
const maxHeldNames = 20

// print stands for one deletion: direction, name and version.
type print [16]byte

func printOf(outgoing bool, p relpath.Path, v vector.Vector) print {
	buf := make([]byte, 0, 128)
	if outgoing {
		buf = append(buf, 'o')
	} else {
		buf = append(buf, 'i')
	}
	buf = append(buf, p.String()...)
	buf = append(buf, 0)
	for _, c := range v {
		buf = binary.BigEndian.AppendUint64(buf, c.ID)
		buf = binary.BigEndian.AppendUint64(buf, c.Value)
	}
	sum := sha256.Sum256(buf)
	return print(sum[:16])
}

type prints map[print]struct{}

func (s prints) has(p print) bool {
	_, ok := s[p]
	return ok
}

func (s prints) encode() string {
	sorted := slices.SortedFunc(maps.Keys(s), func(a, b print) int { return bytes.Compare(a[:], b[:]) })
	buf := make([]byte, 0, len(print{})*len(sorted))
	for _, p := range sorted {
		buf = append(buf, p[:]...)
	}
	return hex.EncodeToString(buf)
}

func decodePrints(text string) (prints, error) {
	buf, err := hex.DecodeString(text)
	if err != nil || len(buf)%len(print{}) != 0 {
		return nil, fault.New(fault.Folder, "", "the index holds a damaged list of decided deletions")
	}
	out := make(prints, len(buf)/len(print{}))
	for part := range slices.Chunk(buf, len(print{})) {
		out[print(part)] = struct{}{}
	}
	return out, nil
}

// token stands for a set of deletions.
func (s prints) token() string {
	sum := sha256.Sum256([]byte(s.encode()))
	return hex.EncodeToString(sum[:8])
}

// hold is what is remembered of deletions that are held: what cannot be found
// out anew.
type hold struct {
	Since time.Time `json:"since"`
	// All holds everything while more than Room files wait, Tops only what is
	// below these top-level directories.
	All  bool     `json:"all,omitempty"`
	Room int64    `json:"room,omitempty"`
	Tops []string `json:"tops,omitempty"`
}

// side is one direction of the brake.
type side struct {
	Hold   *hold   `json:"hold,omitempty"`
	Recent []spent `json:"recent,omitempty"`

	back    prints                    // held back now
	stands  prints                    // not counted: the content stands under another name
	decided map[status.Choice]prints  // by a person, and not carried out yet
	forgot  bool                      // decided shrank, and the index does not know yet
	view    *Held                     // nil where nothing is held
	shown   prints                    // what view describes
	lost    map[relpath.Path]lostName // outgoing: what is held
}

// spent are deletions that went through, of one minute.
type spent struct {
	Minute int64 `json:"minute"` // unix
	Files  int64 `json:"files"`
}

type lostName struct {
	print print
	bytes int64
	kind  bep.FileType
}

// brake holds mass deletions back. It fulfils pull.Brake. What it remembers
// across restarts stands in the index, and is written on the Disk turn alone.
type brake struct {
	limits  plan.Brake
	index   index.Folder
	role    bep.FolderType
	ignored func(relpath.Path) bool
	now     func() time.Time
	// changed is called when something else is held, or no longer. It must not
	// block.
	changed func()
	// restore is called when there is something to restore. It must not block.
	restore func()
	// save is called when what must be remembered changed. It must not block.
	save       func()
	departures *departures

	mu       sync.Mutex // guards what follows, held for memory only
	in, out  side
	arrivals plan.Arrivals
	checked  int64     // our sequence at the last look at what came to stand elsewhere
	gen      int       // raised by every decision
	lastFull time.Time // of the last look that found everything, within completeEvery
	loaded   bool
}

// completeEvery is how exactly that is known.
const completeEvery = 10 * time.Minute

// Keys in the index.
const (
	metaBrake   = "brake"
	metaDecided = "brake." // + direction + choice
)

func decidedKey(outgoing bool, c status.Choice) string {
	if outgoing {
		return metaDecided + "out." + string(c)
	}
	return metaDecided + "in." + string(c)
}

// remembered is the stored form of a brake.
type remembered struct {
	In       side      `json:"in"`
	Out      side      `json:"out"`
	LastFull time.Time `json:"last_full"`
}

// load takes what is remembered from the index, once.
func (b *brake) load() error {
	b.mu.Lock()
	loaded := b.loaded
	b.mu.Unlock()
	if loaded {
		return nil
	}
	text, err := b.index.Meta(metaBrake)
	if err != nil {
		return err
	}
	var r remembered
	if text != "" {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return fault.Wrap(fault.Folder, "", "read what the brake holds", "", err)
		}
	}
	for _, s := range []*side{&r.In, &r.Out} {
		s.decided = map[status.Choice]prints{}
		for _, c := range []status.Choice{status.ApplyHeld, status.RestoreHeld} {
			text, err := b.index.Meta(decidedKey(s == &r.Out, c))
			if err != nil {
				return err
			}
			if s.decided[c], err = decodePrints(text); err != nil {
				return err
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in, b.out, b.lastFull, b.loaded = r.In, r.Out, r.LastFull, true
	return nil
}

// store writes what is to be remembered, decisions that were made (see decide)
// aside. It runs on the Disk turn.
func (b *brake) store() error {
	b.mu.Lock()
	text, err := json.Marshal(remembered{In: b.in, Out: b.out, LastFull: b.lastFull})
	b.mu.Unlock()
	if err != nil {
		return fault.Wrap(fault.Folder, "", "remember what the brake holds", "", err)
	}
	if err := b.index.SetMeta(metaBrake, string(text)); err != nil {
		return err
	}
	for _, outgoing := range []bool{false, true} {
		if err := b.storeForgotten(outgoing); err != nil {
			return err
		}
	}
	return nil
}

// storeForgotten writes what is left of the decisions in one direction, if some
// are done with: one that came back with a restart would be taken for an answer
// to what a person was never asked.
func (b *brake) storeForgotten(outgoing bool) error {
	b.mu.Lock()
	forgot := b.side(outgoing).forgot
	b.side(outgoing).forgot = false
	b.mu.Unlock()
	if !forgot {
		return nil
	}
	for _, c := range []status.Choice{status.ApplyHeld, status.RestoreHeld} {
		b.mu.Lock()
		text := b.side(outgoing).decided[c].encode()
		b.mu.Unlock()
		if err := b.index.SetMeta(decidedKey(outgoing, c), text); err != nil {
			b.mu.Lock()
			b.side(outgoing).forgot = true
			b.mu.Unlock()
			return err
		}
	}
	return nil
}

func (b *brake) side(outgoing bool) *side {
	if outgoing {
		return &b.out
	}
	return &b.in
}

// spend notes deletions that went through.
func (s *side) spend(now time.Time, window time.Duration, files int64) {
	first := now.Add(-window).Unix() / 60
	s.Recent = slices.DeleteFunc(s.Recent, func(r spent) bool { return r.Minute < first })
	minute := now.Unix() / 60
	if n := len(s.Recent); n > 0 && s.Recent[n-1].Minute == minute {
		s.Recent[n-1].Files += files
		return
	}
	s.Recent = append(s.Recent, spent{Minute: minute, Files: files})
}

// recent counts the deletions that went through within the window.
func (s *side) recent(now time.Time, window time.Duration) (files int64) {
	first, last := now.Add(-window).Unix()/60, now.Unix()/60
	for _, r := range s.Recent {
		if r.Minute >= first && r.Minute <= last {
			files += r.Files
		}
	}
	return files
}

// Held lists what is held.
func (b *brake) views() []Held {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Held
	for _, s := range []*side{&b.in, &b.out} {
		if s.view != nil {
			v := *s.view
			if s == &b.out {
				v.LastSeen = b.lastFull
			}
			out = append(out, v)
		}
	}
	return out
}

// Holding reports whether deletions of others are held.
func (b *brake) Holding() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.in.Hold != nil || len(b.in.back) > 0 || b.in.undone()
}

func (s *side) undone() bool {
	return len(s.decided[status.ApplyHeld])+len(s.decided[status.RestoreHeld]) > 0
}

// Held reports whether a needed name is left as it is: a deletion that waits
// for a person, or a file that is gone here and has a newer version elsewhere.
func (b *brake) Held(n *index.Needed) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n.Global.Deleted {
		return len(b.in.back) > 0 && b.in.back.has(printOf(false, n.Global.Name, n.Global.Version))
	}
	_, lost := b.out.lost[n.Global.Name]
	return lost
}

// Deleted counts deletions that were carried out unasked. Renames among them
// are known where there were more than a few; the others count as well, which
// can make the brake hold a little sooner.
func (b *brake) Deleted(done []*index.Needed) {
	b.mu.Lock()
	files := int64(0)
	for _, n := range done {
		p := printOf(false, n.Global.Name, n.Global.Version)
		if n.Local.IsFile() && !b.in.decided[status.ApplyHeld].has(p) && !b.in.stands.has(p) {
			files++
		}
	}
	if files > 0 {
		b.in.spend(b.now(), b.limits.Window, files)
	}
	b.mu.Unlock()
	if files > 0 {
		b.save()
	}
}

// ancestors are the directories above held files, which cannot go before them.
func addAncestors(dirs map[relpath.Path]bool, p relpath.Path) {
	for p = p.Dir(); !p.IsRoot() && !dirs[p]; p = p.Dir() {
		dirs[p] = true
	}
}
