package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/tray"
	"lanyard/app/web"
	"lanyard/sync/fault"
)

// serving is what "lanyard serve" was asked for.
type serving struct {
	listen      []string
	noDiscovery bool
	door        doorFlags
}

func (a *app) serveCommand() *cobra.Command {
	var s serving
	c := &cobra.Command{
		Use: "serve", Short: "Run the engine in the foreground", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := config.CheckAddresses(s.listen); err != nil {
				return wrongUsage(c, err)
			}
			if err := s.door.check(); err != nil {
				return wrongUsage(c, err)
			}
			collectLater()
			return a.serve(c.Context(), s)
		},
	}
	c.Flags().StringArrayVar(&s.listen, "listen", nil, "address to listen on, quic://ADDR:PORT with TCP on the same port, or tcp://ADDR:PORT; may be repeated")
	c.Flags().BoolVar(&s.noDiscovery, "no-discovery", false, "use fixed and remembered addresses only")
	s.door.add(c)
	return c
}

// gcPercent is how much garbage the engine lets pile up, in percent of what it
// holds, before it is collected. It holds little and passes much through, so
// that collecting at Go's 100 costs 3 to 7 percent of a large first copy, and
// saves about 4 MiB.
//
// memoryLimit, in bytes, is where that ends: what a device makes us hold for a
// moment is not to leave five times as much garbage. It is far above what the
// engine holds by itself, so that it costs nothing until then.
const (
	gcPercent   = 400
	memoryLimit = 88 << 20
)

// collectLater sets the collector's pace, unless the environment does.
func collectLater() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// errStopped is the cause of the end when someone asked the program to stop.
var errStopped = errors.New("asked to stop")

// serve runs everything until ctx ends or someone asks it to stop, both of
// which are success.
func (a *app) serve(ctx context.Context, s serving) (err error) {
	home, err := a.home()
	if err != nil {
		return err
	}
	logs := &lateFile{} // first, so that a closed standard error does not silence it
	log := slog.New(slog.NewTextHandler(io.MultiWriter(logs, a.Err), nil))
	defer takeGlobalLog(log)()
	n, err := openNode(ctx, node.Options{
		Home: home, Listen: s.listen, Discovery: !s.noDiscovery,
		Version: a.Version, Log: log, Engine: a.Engine,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if err := logs.open(home.LogFile()); err != nil {
		return fault.Wrap(fault.Node, "", "open log", "", err)
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	return a.runNode(ctx, n, s.door, log)
}

// takeGlobalLog has what libraries write to the global log count as details of
// ours, until the function that it gives is called: the one that speaks mDNS
// knows no other log, and has a word for every network without IPv6.
func takeGlobalLog(log *slog.Logger) (giveBack func()) {
	before, flags := stdlog.Writer(), stdlog.Flags()
	stdlog.SetFlags(0)
	stdlog.SetOutput(slog.NewLogLogger(log.Handler(), slog.LevelDebug).Writer())
	return func() {
		stdlog.SetOutput(before)
		stdlog.SetFlags(flags)
	}
}

func (a *app) runNode(ctx context.Context, n *node.Node, flags doorFlags, log *slog.Logger) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s, err := service.New(n, func() { stop(errStopped) })
	if err != nil {
		return err
	}
	if exposed, err := n.Store().Home().Exposed(); err == nil && exposed != "" {
		log.Warn("other users can read what only this one should", "file", exposed)
	}
	door, err := a.openDoor(flags, log)
	if err != nil {
		return err
	}
	home := n.Store().Home()
	l, address, err := web.Listen(web.Place{Socket: home.SocketFile(), Digest: home.Digest()})
	if err != nil {
		return errors.Join(err, closeDoor(door))
	}
	if err := n.Store().Announce(address); err != nil {
		return errors.Join(err, l.Close(), closeDoor(door))
	}
	later := make(chan *web.Door) // never closed: takes one that is opened late
	if door != nil {
		s.LetIn(door)
		log.Info("letting browsers in", "address", door.Address())
	} else {
		s.OpenBy(func() (service.Door, error) { return a.openLater(ctx, later, log) })
	}
	log.Info("running", "version", a.Version, "device", n.ID().Short().String())
	icon := tray.New(tray.Options{Engine: s, Home: home, Words: text.Mine(), Log: log})
	s.TellBy(icon.TellClosed)
	err = runAll(ctx, stop, n, s, l, door, later, icon)
	if errors.Is(err, errStopped) || errors.Is(err, context.Canceled) {
		log.Info("stopped")
		return nil
	}
	log.Error("stopped", "error", err)
	return err
}

// runAll runs engine, event stream, control socket and, where there are such, the
// browser door and the tray, ends all when one ends, and gives the cause. It is
// called from the goroutine of main, which the tray wants for itself.
func runAll(ctx context.Context, stop context.CancelCauseFunc, n *node.Node, s *service.Service, l net.Listener, door *web.Door, later <-chan *web.Door, icon *tray.Tray) error {
	api := web.Handler(s)
	runs := []func() error{
		func() error { return n.Run(ctx) },
		func() error { return s.Run(ctx) },
		func() error { return web.Serve(ctx, l, api) },
	}
	runs = append(runs, func() error {
		if door == nil {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case door = <-later:
			}
		}
		return door.Run(ctx, api)
	})
	var running sync.WaitGroup
	for _, run := range runs {
		running.Go(func() {
			err := run()
			if err == nil {
				err = errors.New("a part of the engine ended without a reason")
			}
			stop(err) // only the first one counts
		})
	}
	icon.Run(ctx)
	running.Wait()
	return context.Cause(ctx)
}

// untilReleased returns when the home is free for another engine.
func untilReleased(ctx context.Context, home config.Home) error {
	for {
		held, err := home.Held()
		if err != nil || !held {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(homePause):
		}
	}
}

// maxLog is the size in bytes at which a log is set aside when the next run
// starts: one old log is kept.
const maxLog = 10 << 20

// lateFile is a log file that is opened once the home is ours; what is written
// before goes nowhere. slog writes from one goroutine at a time.
type lateFile struct{ file *os.File }

func (l *lateFile) open(name string) error {
	if info, err := os.Stat(name); err == nil && info.Size() > maxLog {
		if err := os.Rename(name, name+".1"); err != nil {
			return fmt.Errorf("set the old log aside: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	l.file = f
	return err
}

// Write writes to the file if there is one.
func (l *lateFile) Write(p []byte) (int, error) {
	if l.file == nil {
		return len(p), nil
	}
	return l.file.Write(p)
}

// Close closes the file.
func (l *lateFile) Close() error { return l.file.Close() }
