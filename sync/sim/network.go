package sim

import (
	"bytes"
	"fmt"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/fault"
	"lanyard/sync/peer"
)

// cable joins two devices: at most one connection at a time, which may be cut
// and comes back by itself unless it is pulled out.
type cable struct {
	c      *Cluster
	a, b   *Device
	pulled bool // partitioned
	conn   *connection
	due    bool // a connection is on its way
}

// connection is one life of a cable.
type connection struct {
	cable *cable
	ends  [2]*wire
	dead  bool
}

// wire is one end of a connection: an ordered stream of frames, delayed.
type wire struct {
	conn   *connection
	from   *Device
	life   *life
	other  *wire
	peer   *peer.Peer // of this end
	queue  []peer.Frame
	busy   bool
	closed bool
	lastAt time.Time // frames arrive in order

	arrived bytes.Buffer // of this end, not read yet
	reader  *bep.Reader  // of what arrived
}

// other gives the device at the other end, nil where d is at neither.
func (k *cable) other(d *Device) *Device {
	switch d {
	case k.a:
		return k.b
	case k.b:
		return k.a
	}
	return nil
}

// wanted reports whether both ends know each other.
func (k *cable) wanted() bool { return !k.a.removed[k.b] && !k.b.removed[k.a] }

var errCut = fault.New(fault.Retry, "", "the connection was cut")

// connect joins the two devices after a while if both run.
func (k *cable) connect() {
	if k.pulled || k.conn != nil || k.due || !k.wanted() {
		return
	}
	k.due = true
	k.c.after(k.c.between(10*time.Millisecond, 2*time.Second), task{run: func() {
		k.due = false
		if k.pulled || k.conn != nil || !k.wanted() || k.a.engine == nil || k.b.engine == nil {
			return
		}
		k.open()
	}})
}

func (k *cable) open() {
	conn := &connection{cable: k}
	k.conn = conn
	for i, d := range []*Device{k.a, k.b} {
		w := &wire{conn: conn, from: d, life: d.life}
		w.reader = bep.NewReader(&w.arrived, bep.ReaderOptions{Buffers: k.c.buffers, Extensions: true})
		conn.ends[i] = w
	}
	conn.ends[0].other, conn.ends[1].other = conn.ends[1], conn.ends[0]
	for i, d := range []*Device{k.a, k.b} {
		other := []*Device{k.b, k.a}[i]
		conn.ends[i].peer = d.engine.Attach(engine.Link{
			ID: other.ID, Hello: bep.Hello{DeviceName: other.Name, ClientName: engine.ClientName}, Wire: conn.ends[i],
			Extended: true,
		})
	}
}

// cut ends the connection: what is on its way is lost.
func (conn *connection) cut() {
	if conn == nil || conn.dead {
		return
	}
	conn.dead = true
	k := conn.cable
	if k.conn == conn {
		k.conn = nil
	}
	for _, w := range conn.ends {
		p := w.peer
		if p != nil && !w.life.over {
			k.c.ready = append(k.c.ready, task{w.life, func() { p.Lost(errCut) }})
		}
	}
	k.connect()
}

// Send queues a frame.
func (w *wire) Send(f peer.Frame) {
	if w.conn.dead || w.closed {
		w.sent(f)
		return
	}
	w.queue = append(w.queue, f)
	w.transmit()
}

func (w *wire) sent(f peer.Frame) {
	if f.Sent != nil {
		w.conn.cable.c.ready = append(w.conn.cable.c.ready, task{w.life, f.Sent})
	}
}

// transmit makes the next frame's bytes when its turn comes.
func (w *wire) transmit() {
	if w.busy || len(w.queue) == 0 {
		return
	}
	w.busy = true
	c := w.conn.cable.c
	c.ready = append(c.ready, task{w.life, func() {
		w.busy = false
		f := w.queue[0]
		w.queue = w.queue[1:]
		if !w.conn.dead {
			w.deliver(encode(f))
		}
		w.sent(f)
		w.transmit()
		w.finish()
	}})
}

func encode(f peer.Frame) []byte {
	if f.Message == nil {
		return f.Append(nil)
	}
	b, err := bep.AppendMessage(nil, f.Message, bep.CompressMetadata)
	if err != nil {
		panic(fmt.Sprintf("sim: encode %T: %v", f.Message, err))
	}
	return b
}

// deliver lets bytes arrive at the other end after a delay, in order.
func (w *wire) deliver(b []byte) {
	c := w.conn.cable.c
	c.trace.add(uint64(len(b)))
	c.bytes += int64(len(b))
	at := later(c.now.Add(c.between(0, c.o.Delay)), w.lastAt.Add(1))
	w.lastAt = at
	other := w.other
	c.after(at.Sub(c.now), task{other.life, func() {
		if w.conn.dead || other.life.over {
			return
		}
		other.arrived.Write(b)
		m, err := other.reader.Next()
		if err != nil {
			panic(fmt.Sprintf("sim: %s sent what %s cannot read: %v", w.from.Name, other.from.Name, err))
		}
		other.peer.Receive(m, nil)
	}})
}

// Close ends the connection after what is queued.
func (w *wire) Close(tell string) {
	if tell != "" {
		w.Send(peer.Frame{Message: &bep.Close{Reason: tell}})
	}
	w.closed = true
	w.finish()
}

func (w *wire) finish() {
	if w.closed && len(w.queue) == 0 && !w.busy {
		c, conn := w.conn.cable.c, w.conn
		c.after(c.o.Delay+1, task{run: conn.cut})
	}
}

// quiet reports whether nothing is on its way.
func (k *cable) quiet() bool {
	if k.conn == nil {
		return k.pulled
	}
	for _, w := range k.conn.ends {
		if len(w.queue) > 0 || w.lastAt.After(k.c.now) {
			return false
		}
	}
	return true
}

// deviceID gives the n-th device's ID, drawn from the seed.
func (c *Cluster) deviceID() device.ID {
	var id device.ID
	for i := range id {
		id[i] = byte(c.rng.Uint32())
	}
	return id
}
