package engine

import (
	"context"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/peer"
	"lanyard/sync/status"
	"lanyard/sync/transport"
)

// A device that is there answers: what is sent to it is acknowledged, by the
// system or by the protocol, even where the device has nothing to say.
const (
	pulseEvery = 2 * time.Second
	// askAfter is how long what was sent may stay unanswered until the device is
	// asked for a sign, and loseAfter until its connection is given up.
	// It has to have been asked loseAsks times by then: a computer that is so
	// busy that it does not come to that has not heard the answers either.
	askAfter  = 2 * time.Second
	loseAfter = 12 * time.Second
	loseAsks  = 4
	// crossed is how far apart two dials that cross each other can begin.
	crossed = 500 * time.Millisecond
	// doubtFor is how long a device that makes another connection has to show
	// that it still has the one before.
	doubtFor = time.Second
	// asks is how many Pings make a packet to which a device that was started
	// anew says that it does not know the connection: one alone is too short.
	asks = 6
)

// pulse is what is known of the life of a connection that is talked on.
type pulse struct {
	stream *peer.Stream
	signs  uint64    // packets that had come at the last look
	before int64     // bytes written before the look before
	last   int64     // and at the last one
	asked  int64     // bytes of Pings that were sent to ask
	rounds int       // of asking since the last sign
	owing  time.Time // since when nothing was answered, zero while all is
}

// ask sends what calls for an answer.
func (p *pulse) ask() {
	for range asks {
		p.stream.Send(peer.Frame{Message: &bep.Ping{}})
	}
	p.asked += asks * pingBytes
	p.rounds++
}

// pingBytes is the length of a Ping on the wire.
const pingBytes = 8

// look takes stock, and says whether the device is to be asked for a sign, or
// is lost.
func (p *pulse) look(conn transport.Conn, now time.Time) (ask, lost bool) {
	signs, told := transport.Signs(conn)
	if !told {
		return false, false
	}
	_, out := p.stream.Counts()
	out -= p.asked
	if signs != p.signs {
		// What was written since the last look may not be answered yet.
		p.signs, p.before, p.last, p.owing, p.rounds = signs, p.last, out, time.Time{}, 0
		return false, false
	}
	if out <= p.before {
		return false, false
	}
	if p.owing.IsZero() {
		p.owing = now
	}
	silent := now.Sub(p.owing)
	return silent >= askAfter, silent >= loseAfter && p.rounds >= loseAsks
}

// beat looks at the connections that are talked on until ctx ends.
func (n *network) beat(ctx context.Context) {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.turn.Post(n.lookAll)
		}
	}
}

// lookAll asks devices that are silent for a sign, and gives those up that
// give none. It runs on the turn.
func (n *network) lookAll() {
	now := time.Now()
	for id, l := range n.links {
		if l.used == nil || l.used.pulse == nil {
			continue
		}
		switch ask, lost := l.used.pulse.look(l.used.conn, now); {
		case lost:
			n.e.o.Log.Info("a device does not answer", "device", id.Short().String(), "address", l.used.conn.RemoteAddress())
			n.end(l.used, transport.CodeTimeout)
		case ask:
			l.used.pulse.ask()
		}
	}
}

// end closes a connection beside the turn.
func (n *network) end(a *attempt, code transport.Code) {
	n.e.o.Exec.Go(func() { a.conn.CloseWith(code, "") })
}

// doubt asks the device for an answer on the connection in use when another one is
// made that cannot be a dial that crossed it: it may be dead, without our having
// noticed, and then the other one must not be closed for its sake. It runs on the
// turn.
func (n *network) doubt(id device.ID, l *link) {
	used := l.used
	if used == nil || used.pulse == nil || !l.doubted.IsZero() || time.Since(used.since) < crossed {
		return
	}
	heard, told := transport.Heard(used.conn)
	if !told {
		return
	}
	began := time.Now()
	l.doubted = began
	used.pulse.ask()
	n.e.o.Exec.After(doubtFor, func() {
		n.turn.Post(func() {
			if l.doubted != began {
				return // it has ended meanwhile
			}
			if now, _ := transport.Heard(used.conn); now == heard {
				// The doubt lasts until it has ended: the other one must not be
				// closed before, and what remains is chosen then.
				n.end(used, transport.CodeResumed)
				return
			}
			l.doubted = time.Time{}
			n.settle(id)
		})
	})
}

// Moved tells that this machine's addresses changed. Connections that have lost
// theirs are made anew, the others are asked for a sign, and every device that is
// not connected is dialed now. Where nothing may be told that links the network
// to the one before, unlinked, all connections are ended without a word.
func (e *Engine) Moved(unlinked bool) {
	if e.net == nil {
		return
	}
	if d, ok := e.o.Transport.(transport.Dropper); ok && unlinked {
		d.Drop()
	}
	e.net.turn.Post(func() {
		for _, l := range e.net.links {
			for _, a := range l.attempts {
				switch {
				case transport.Homeless(a.conn):
					e.net.end(a, transport.CodeResumed)
				case a.pulse != nil:
					a.pulse.ask()
				}
			}
		}
		e.reachAgain()
	})
	e.net.hurry()
}

// reachAgain finds out anew how the connections leave this device. It runs on the
// turn of the network.
func (e *Engine) reachAgain() {
	for id, l := range e.net.links {
		if l.used == nil {
			continue
		}
		reach := e.net.reach(l.used.conn)
		e.mu.Lock()
		if entry := e.peers[id]; entry != nil {
			entry.reach = reach
		}
		e.mu.Unlock()
	}
	e.touch()
}

func (e *Engine) reachOf(p *peerEntry) status.Reach {
	e.mu.Lock()
	defer e.mu.Unlock()
	return p.reach
}

// Resumed tells that this machine has slept: no connection is what it was.
func (e *Engine) Resumed() {
	if e.net == nil {
		return
	}
	e.net.turn.Post(func() {
		for _, l := range e.net.links {
			for _, a := range l.attempts {
				e.net.end(a, transport.CodeResumed)
			}
		}
	})
	e.net.hurry()
}

// hurry has every device dialed that is not connected, with new patience.
func (n *network) hurry() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, d := range n.dialers {
		d.nudge(true)
	}
}
