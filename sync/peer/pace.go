package peer

import (
	"sync"
	"sync/atomic"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/transport"
)

// A message that has begun must bring paceBytes in every paceWindow, which is
// 16 KiB a second: else a device could hold a connection, and what we keep for
// its message, for hours.
const (
	paceWindow = 30 * time.Second
	paceBytes  = int64(paceWindow/time.Second) * 16 << 10
)

var errTooSlow = fault.New(fault.Retry, "", "the device sends a message at less than 16 KiB a second")

// pace ends a connection on which a message takes too long. It counts only
// between begin and end, while we read.
type pace struct {
	conn transport.Conn
	in   *atomic.Int64 // bytes read
	slow atomic.Bool

	mu    sync.Mutex
	timer *time.Timer // nil until the first message
	mark  int64       // in, when the window began
	runs  bool
}

func (p *pace) init(conn transport.Conn, in *atomic.Int64) { p.conn, p.in = conn, in }

// begin starts a window.
func (p *pace) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs, p.mark = true, p.in.Load()
	if p.timer == nil {
		p.timer = time.AfterFunc(paceWindow, p.look)
	} else {
		p.timer.Reset(paceWindow)
	}
}

// end stops the counting.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = false
	p.timer.Stop()
}

// look judges a window and begins the next one.
func (p *pace) look() {
	p.mu.Lock()
	now := p.in.Load()
	late := p.runs && now-p.mark < paceBytes
	if p.runs && !late {
		p.mark = now
		p.timer.Reset(paceWindow)
	}
	p.mu.Unlock()
	if late {
		p.slow.Store(true)
		p.conn.CloseWith(transport.CodeTimeout, "too slow")
	}
}

// tooSlow reports whether that is why the connection ended.
func (p *pace) tooSlow() bool { return p.slow.Load() }
