package pairing

import (
	"crypto/rand"
	"sync"
	"time"

	"lanyard/sync/device"
)

// Invitations holds the one invitation that is open. It lives in memory alone:
// after a crash there is none, so that no secret can be accepted twice.
// Methods may be called concurrently.
type Invitations struct {
	mu     sync.Mutex
	open   bool
	used   bool
	secret Secret
	wall   time.Time     // when it was made
	mono   time.Duration // the same, by the clock that is never set
}

// Open makes a new invitation; the one before it, if any, is closed. wall and
// mono are the time by the clock on the wall and by one that is never set.
func (i *Invitations) Open(self device.ID, wall time.Time, mono time.Duration) Invitation {
	i.mu.Lock()
	defer i.mu.Unlock()
	rand.Read(i.secret[:]) // never fails
	i.open, i.used, i.wall, i.mono = true, false, wall, mono
	return Invitation{ID: self, Secret: i.secret, Expires: wall.Add(Lifetime).Truncate(time.Second)}
}

// Close makes the invitation worthless.
func (i *Invitations) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.open, i.secret = false, Secret{}
}

// Current gives the secret that a connection may prove knowledge of, false
// where there is none. One that is used or expired still counts, so that whoever
// knows it learns why it is refused.
func (i *Invitations) Current() (Secret, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.secret, i.open
}

// Spend marks a secret as used. It succeeds once, and only in time: on the wall
// clock, which goes on while the machine sleeps, and on the other, which nobody
// sets.
func (i *Invitations) Spend(s Secret, wall time.Time, mono time.Duration) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	since := wall.Sub(i.wall)
	switch {
	case !i.open || s != i.secret:
		return ErrExpired
	case i.used:
		return ErrUsed
	case mono-i.mono >= Lifetime || since >= Lifetime || since < -Lifetime:
		return ErrExpired
	}
	i.used = true
	return nil
}
