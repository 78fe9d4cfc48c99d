package transport

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause = time.Second
	maxPause   = time.Minute
	// nearPause is the longest pause for a device at an address that has
	// worked on this network: a try costs one packet, and the device is
	// probably only asleep.
	nearPause = 5 * time.Second
	// pauseJitter spreads the dials of many devices, as a share of the pause.
	pauseJitter = 0.25
)

// Backoff counts the failed rounds of dials to one device and says how long to
// pause before the next: 1, 2, 4 and so on up to 60 s, each ±25 %. It is for
// one goroutine.
type Backoff struct {
	rng  *rand.Rand
	next time.Duration
}

// NewBackoff returns a Backoff that takes its jitter from rng.
func NewBackoff(rng *rand.Rand) *Backoff { return &Backoff{rng: rng, next: firstPause} }

// Next counts a failed round and gives the pause after it. near says that the
// device has an address that worked on this network: then the pause before
// jitter is at most 5 s.
func (b *Backoff) Next(near bool) time.Duration {
	pause := b.next
	b.next = min(2*b.next, maxPause)
	if near {
		pause = min(pause, nearPause)
	}
	spread := pauseJitter * (2*b.rng.Float64() - 1)
	return pause + time.Duration(spread*float64(pause))
}

// Reset begins again with the first pause: after a connection, a fresh
// sighting, a change of network, a resume, or when a person asks for it.
func (b *Backoff) Reset() { b.next = firstPause }
