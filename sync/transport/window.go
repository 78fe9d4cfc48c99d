package transport

import (
	"sync"

	"github.com/quic-go/quic-go"
)

// windowBudget bounds the memory that receive windows may grow to over all
// connections, and keeps a connection's windows at their initial size until
// its device is known. It is safe for concurrent use.
type windowBudget struct {
	mu     sync.Mutex
	free   uint64 // bytes
	shares map[*quic.Conn]*windowShare
}

// windowShare is what one connection has taken of the budget.
type windowShare struct {
	taken    uint64
	admitted bool
}

func newWindowBudget(bytes uint64) *windowBudget {
	return &windowBudget{free: bytes, shares: map[*quic.Conn]*windowShare{}}
}

// open gives conn a share, which may grow at once if admitted.
func (b *windowBudget) open(conn *quic.Conn, admitted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shares[conn] = &windowShare{admitted: admitted}
}

// admit lets conn's share grow from now on.
func (b *windowBudget) admit(conn *quic.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.shares[conn]; s != nil {
		s.admitted = true
	}
}

// close takes conn's share back.
func (b *windowBudget) close(conn *quic.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.shares[conn]; s != nil {
		b.free += s.taken
		delete(b.shares, conn)
	}
}

// grow is quic.Config.AllowConnectionWindowIncrease: it must not call conn.
func (b *windowBudget) grow(conn *quic.Conn, delta uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shares[conn]
	if s == nil || !s.admitted || delta > b.free {
		return false
	}
	s.taken += delta
	b.free -= delta
	return true
}
