package plan

import "time"

// Brake is how many deletions may go through unasked. More than that are held
// until a person decides: the files stay where they are, and the folder goes on
// with everything else. The zero Brake means the defaults below.
//
// Only files count, and of these only such whose content would be gone: a file
// whose content stands under another name in the same state was renamed.
type Brake struct {
	Files   int64         // so many files may always go; default 50
	Percent int64         // of the folder's files, if that is more; default 25
	Top     int64         // a scan that finds a top-level directory of more files than this emptied asks; default 10
	Window  time.Duration // deletions carried out within it count as well; default 10 minutes
}

// Limits of the brake.
const (
	brakeFiles   = 50
	brakePercent = 25
	brakeTop     = 10
	brakeWindow  = 10 * time.Minute

	// brakeAtOnce is the part of the limit that is carried out at once. A larger
	// number waits until no more of them arrive, because a mass deletion comes in
	// pieces of which each is below the limit.
	brakeAtOnce = 5 // a fifth
	// brakeQuiet is how long nothing more may arrive, brakePatience how long is
	// waited at most.
	brakeQuiet    = time.Second
	brakePatience = 10 * time.Second
)

// WithDefaults gives the brake with its zero fields filled in.
func (b Brake) WithDefaults() Brake {
	if b.Files == 0 {
		b.Files = brakeFiles
	}
	if b.Percent == 0 {
		b.Percent = brakePercent
	}
	if b.Top == 0 {
		b.Top = brakeTop
	}
	if b.Window == 0 {
		b.Window = brakeWindow
	}
	return b
}

// Deletions is what the brake looks at.
type Deletions struct {
	Waiting int64 // files that are to go now
	Done    int64 // files that went within the window
	Files   int64 // files that the folder holds, those that are to go included
}

// Allowed gives how many files may go within the window.
func (b Brake) Allowed(d Deletions) int64 {
	return max(b.Files, (d.Files+d.Done)*b.Percent/100)
}

// Holds reports whether deletions are too many to be carried out unasked.
func (b Brake) Holds(d Deletions) bool {
	return d.Waiting > 0 && d.Waiting+d.Done > b.Allowed(d)
}

// Room gives how many of the waiting files may go. It is noted when deletions
// are held, and they stay held while more than that wait: neither time that
// passes nor files that are added release them.
func (b Brake) Room(d Deletions) int64 { return max(b.Allowed(d)-d.Done, 0) }

// Few reports whether deletions are so few that they need not wait for more.
func (b Brake) Few(d Deletions) bool {
	return d.Waiting+d.Done <= b.Allowed(d)/brakeAtOnce
}

// Arrivals follows deletions that arrive in pieces. The zero value has seen
// none.
type Arrivals struct {
	waiting      int64
	since, grown time.Time
}

// Wait tells how long deletions have still to wait for more of them, 0 for no
// longer. Call it again after that time, or when there are news.
func (a *Arrivals) Wait(now time.Time, waiting int64) time.Duration {
	if a.waiting == 0 {
		a.since = now
	}
	if waiting > a.waiting || a.grown.After(now) {
		a.grown = now
	}
	a.waiting = waiting
	if waiting == 0 || now.Sub(a.since) >= brakePatience || a.since.After(now) {
		return 0
	}
	return max(brakeQuiet-now.Sub(a.grown), 0)
}
