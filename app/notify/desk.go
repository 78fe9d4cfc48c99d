package notify

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"lanyard/app/text"
)

// The times between notifications.
const (
	// gather is how long the first thing of a kind waits for others, so that a
	// burst is one notification.
	gather = time.Second
	// learn is how long it waits where one of them is not known whole yet.
	learn = 5 * time.Second
	// group is the least time between two notifications of a kind.
	group = time.Minute
	// most is how many of a kind come in an hour.
	most = 3
	// lasts is how long a thing may be gone until it counts as another one when it
	// comes back: an engine that starts learns what holds little by little.
	lasts = time.Hour
)

// maxTold bounds what is remembered; the oldest goes.
const maxTold = 10_000

// Notification is what the system is to show. Title and Body are plain text.
type Notification struct {
	Kind  Kind
	Title string
	Body  string
	Page  string // where a click leads
}

// Desk decides when what is told. It reads no clock and does no I/O, and is used
// by one goroutine.
type Desk struct {
	words *text.Catalogue
	told  map[string]*toldOf
	sent  map[Kind][]time.Time // within the last hour, the oldest first
	first map[Kind]time.Time   // when what waits of a kind began to
	dirty bool                 // what is remembered over a restart changed
}

// toldOf is what is remembered of a thing that was told.
type toldOf struct {
	amount int64
	seen   time.Time // when it last held
}

// NewDesk gives a desk at the time now, which remembers what was told before, by
// key and amount.
func NewDesk(words *text.Catalogue, told map[string]int64, now time.Time) *Desk {
	d := &Desk{words: words, told: map[string]*toldOf{}, sent: map[Kind][]time.Time{}, first: map[Kind]time.Time{}}
	for key, amount := range told {
		d.told[key] = &toldOf{amount, now}
	}
	return d
}

// Look takes what holds now, and gives what is to be told now. It asks to be
// called again at next, if nothing changes before; zero asks for nothing.
func (d *Desk) Look(now time.Time, things []Thing) (due []Notification, next time.Time) {
	d.remember(now, things)
	fresh := map[Kind][]Thing{}
	for _, t := range things {
		if before, ok := d.told[t.Key]; !ok || t.Amount > before.amount {
			fresh[t.Kind] = append(fresh[t.Kind], t)
		}
	}
	for _, kind := range Kinds() {
		if len(fresh[kind]) == 0 {
			delete(d.first, kind)
			continue
		}
		if _, waits := d.first[kind]; !waits {
			d.first[kind] = now
		}
		wait := gather
		if slices.ContainsFunc(fresh[kind], func(t Thing) bool { return t.Partly }) {
			wait = learn
		}
		at := d.dueAt(kind, now, wait)
		if now.Before(at) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		due = append(due, d.word(kind, fresh[kind]))
		d.sent[kind] = append(d.sent[kind], now)
		delete(d.first, kind)
		for _, t := range fresh[kind] {
			d.told[t.Key] = &toldOf{t.Amount, now}
			d.dirty = true
		}
	}
	return due, next
}

// dueAt gives the time at which what waits of a kind is told, which waits so long
// from its first.
func (d *Desk) dueAt(kind Kind, now time.Time, wait time.Duration) time.Time {
	at := d.first[kind].Add(wait)
	sent := slices.DeleteFunc(d.sent[kind], func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	d.sent[kind] = sent
	if n := len(sent); n > 0 {
		at = later(at, sent[n-1].Add(group))
	}
	if n := len(sent); n >= most {
		at = later(at, sent[n-most].Add(time.Hour))
	}
	return at
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// remember notes what of the told holds still, and forgets what has long been
// gone.
func (d *Desk) remember(now time.Time, things []Thing) {
	for _, t := range things {
		if before, ok := d.told[t.Key]; ok {
			before.seen = now
			if t.Amount < before.amount {
				before.amount, d.dirty = t.Amount, true
			}
		}
	}
	for key, t := range d.told {
		if now.Sub(t.seen) >= lasts {
			delete(d.told, key)
			d.dirty = true
		}
	}
	if len(d.told) > maxTold {
		oldest := slices.SortedFunc(maps.Keys(d.told), func(a, b string) int {
			return cmp.Or(d.told[a].seen.Compare(d.told[b].seen), cmp.Compare(a, b))
		})
		for _, key := range oldest[:len(oldest)-maxTold] {
			delete(d.told, key)
		}
		d.dirty = true
	}
}

// Told gives what is to be remembered over a restart, and whether that changed
// since it was last asked for.
func (d *Desk) Told() (told map[string]int64, changed bool) {
	changed, d.dirty = d.dirty, false
	told = map[string]int64{}
	for key, t := range d.told {
		told[key] = t.amount
	}
	return told, changed
}

// titles and manys are the sentences of each kind.
var (
	titles = map[Kind]text.DesktopText{
		Request: text.NotifyRequestTitle, TwoVersions: text.NotifyTwoTitle, Held: text.NotifyHeldTitle,
		Finished: text.NotifyFinishedTitle, Action: text.NotifyActionTitle,
	}
	manys = map[Kind]text.DesktopText{
		Request: text.NotifyRequestMany, TwoVersions: text.NotifyTwoMany, Held: text.NotifyHeldMany,
		Finished: text.NotifyFinishedMany, Action: text.NotifyActionMany,
	}
)

// word gives the one notification of things of a kind.
func (d *Desk) word(kind Kind, things []Thing) Notification {
	n := Notification{Kind: kind, Title: d.words.SayDesktop(titles[kind], nil), Page: "#/needs"}
	if len(things) == 1 {
		n.Body, n.Page = things[0].Text, things[0].Page
		return n
	}
	var amount int64
	for _, t := range things {
		amount += t.Amount
	}
	n.Body = d.words.SayDesktop(manys[kind], map[string]string{"n": strconv.FormatInt(amount, 10), "total": strconv.Itoa(len(things))})
	return n
}
