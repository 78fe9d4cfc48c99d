package peer

import "sync"

// Limits on what devices may have us hold: what they sent and we have not dealt
// with yet. Past them a device's stream is not read. One message alone always
// fits, and so do maxHeldAnyway bytes: the others cannot starve a device.
const (
	maxHeldMessages = 1024
	maxHeldBytes    = 64 << 20  // of one device
	maxHeldTotal    = 256 << 20 // of all
	maxHeldAnyway   = 2 << 20   // of one device, whatever all hold
)

// Budget bounds what all devices together have us hold. It is safe for
// concurrent use.
type Budget struct {
	mu    sync.Mutex
	free  sync.Cond // something was given back, or a connection ended
	bytes int64
}

// NewBudget returns a Budget of 256 MiB.
func NewBudget() *Budget {
	b := &Budget{}
	b.free.L = &b.mu
	return b
}

// held counts what one device sent and we hold. Its fields belong to the
// budget's lock.
type held struct {
	budget   *Budget
	bytes    int64
	messages int
	ended    bool
}

// take waits until cost fits, or is alone; false at the end.
func (h *held) take(cost int64) bool {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	for !h.ended && !h.fits(cost) {
		h.budget.free.Wait()
	}
	if h.ended {
		return false
	}
	h.bytes += cost
	h.messages++
	h.budget.bytes += cost
	return true
}

func (h *held) fits(cost int64) bool {
	switch {
	case h.messages == 0:
		return true
	case h.messages >= maxHeldMessages || h.bytes+cost > maxHeldBytes:
		return false
	}
	return h.budget.bytes+cost <= maxHeldTotal || h.bytes+cost <= maxHeldAnyway
}

func (h *held) give(cost int64) {
	h.budget.mu.Lock()
	h.bytes -= cost
	h.messages--
	h.budget.bytes -= cost
	h.budget.mu.Unlock()
	h.budget.free.Broadcast()
}

// end lets nobody wait any more. What is held is given back as it is dealt
// with.
func (h *held) end() {
	h.budget.mu.Lock()
	h.ended = true
	h.budget.mu.Unlock()
	h.budget.free.Broadcast()
}
