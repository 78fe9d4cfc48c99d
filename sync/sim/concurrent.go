package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
	"lanyard/sync/transport"
	"lanyard/sync/watch"
)

// Tree is what people see of a folder, without the times.
type Tree map[string]fsys.Node

func (c *Cluster) treeOf(d *Device) Tree {
	tree := visible(d.FS.User().Tree())
	for p, n := range tree {
		n.Mtime = 0
		tree[p] = n
	}
	return tree
}

// ActByAct runs in simulated time and lets every act of a person come to rest
// before the next. It returns the tree that every device ends with.
func (c *Cluster) ActByAct() (Tree, error) {
	c.calm = true
	for _, d := range c.devices {
		d.start()
	}
	for range c.o.Ops {
		c.left = 1
		c.userOp(c.devices[c.acts.IntN(len(c.devices))])
		if err := c.untilQuiet(); err != nil {
			return nil, err
		}
	}
	return c.treeOf(c.devices[0]), c.oracle.check(c.devices)
}

// Concurrently does the same acts with the real, concurrent runners over real
// streams, in real time.
func (c *Cluster) Concurrently(ctx context.Context) (tree Tree, err error) {
	c.calm = true
	run := &concurrent{c: c}
	defer run.stop()
	if err := run.start(ctx); err != nil {
		return nil, err
	}
	for range c.o.Ops {
		c.left = 1
		d := c.devices[c.acts.IntN(len(c.devices))]
		c.now = time.Now()
		c.userOp(d)
		if err := d.engine.Scan(ctx, folderID, nil); err != nil {
			return nil, fmt.Errorf("scan on %s: %w", d.Name, err)
		}
		if err := run.quiet(ctx); err != nil {
			return nil, err
		}
	}
	return c.treeOf(c.devices[0]), c.oracle.check(c.devices)
}

// concurrent is what runs beside the caller.
type concurrent struct {
	c     *Cluster
	execs []*exec.Real
	wg    sync.WaitGroup
	stops []func()
}

func (r *concurrent) start(ctx context.Context) error {
	for _, d := range r.c.devices {
		ex := &exec.Real{}
		r.execs = append(r.execs, ex)
		d.life = &life{over: true} // nothing of it is run in simulated time
		d.engine = engine.New(engine.Options{
			ID: d.ID, Name: d.Name, Version: "sim", Store: d.Store, Exec: ex, Hash: block.NewPool(2),
			OpenRoot: func(engine.FolderSpec) (fsys.FS, error) { return d.FS, nil },
			// Acts are followed by a scan of their own.
			NewWatcher: noWatcher, Log: slog.New(slog.DiscardHandler),
		})
		d.engine.Apply(d.desired())
	}
	for _, k := range r.c.cables {
		r.connect(ctx, k)
	}
	return r.quiet(ctx)
}

func (r *concurrent) connect(ctx context.Context, k *cable) {
	a, b := newPipe(k.a.ID, k.b.ID)
	for _, end := range []struct {
		d, other *Device
		conn     *pipe
	}{{k.a, k.b, a}, {k.b, k.a, b}} {
		stream := peer.NewStream(end.conn, nil)
		p := end.d.engine.Attach(engine.Link{
			ID: end.other.ID, Hello: bep.Hello{DeviceName: end.other.Name, ClientName: engine.ClientName}, Wire: stream,
			Extended: true,
		})
		r.wg.Go(func() { _ = stream.Run(ctx, p, bep.NewBuffers(0)) })
		r.stops = append(r.stops, func() { end.conn.CloseWith(transport.CodeNormal, "") })
	}
}

func (r *concurrent) stop() {
	for _, d := range r.c.devices {
		d.engine.Close()
	}
	for _, stop := range r.stops {
		stop()
	}
	r.wg.Wait()
	for _, ex := range r.execs {
		ex.Close()
	}
}

// quiet waits until every device has everything and knows that the others do.
func (r *concurrent) quiet(ctx context.Context) error {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for r.c.unrest() != "" || r.differ() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not quiet: %s: %w", r.c.unrest(), context.Cause(ctx))
		case <-look.C:
		}
	}
	return nil
}

func (r *concurrent) differ() bool {
	first := visible(r.c.devices[0].FS.User().Tree())
	for _, d := range r.c.devices[1:] {
		if differ(first, visible(d.FS.User().Tree())) != "" {
			return true
		}
	}
	return false
}

// noWatcher leaves noticing to scans.
func noWatcher(engine.FolderSpec, func(relpath.Path) bool) watch.Watcher {
	return watch.NewPolling(time.Hour)
}

// pipe is a connection in memory.
type pipe struct {
	net.Conn
	peer device.ID
	both *pipeEnd
}

// pipeEnd is closed when either side closes.
type pipeEnd struct {
	once sync.Once
	done chan struct{}
}

func newPipe(a, b device.ID) (*pipe, *pipe) {
	ca, cb := net.Pipe()
	end := &pipeEnd{done: make(chan struct{})}
	return &pipe{Conn: ca, peer: b, both: end}, &pipe{Conn: cb, peer: a, both: end}
}

func (p *pipe) PeerID() device.ID     { return p.peer }
func (p *pipe) PeerName() string      { return device.CommonName }
func (p *pipe) Extended() bool        { return true }
func (p *pipe) Dialed() bool          { return false }
func (p *pipe) LocalAddress() string  { return "pipe" }
func (p *pipe) RemoteAddress() string { return "pipe" }
func (p *pipe) Done() <-chan struct{} { return p.both.done }

func (p *pipe) EndCode() (transport.Code, bool) { return transport.CodeNormal, true }

func (p *pipe) CloseWith(transport.Code, string) error {
	p.both.once.Do(func() { close(p.both.done) })
	return p.Conn.Close()
}

func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = io.EOF
	}
	return n, err
}
