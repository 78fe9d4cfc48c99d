package desktop

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"lanyard/app/config"
	"lanyard/app/web"
)

// The events that the pages are told.
const (
	eventState  = "lanyard"        // a service.SnapshotEvent
	eventEngine = "lanyard-engine" // true: an engine was found, and its numbers begin; false: it is gone
	eventOpened = "lanyard-opened" // an Opened
)

// shell is what the system's window can do. Its methods may be called from any
// goroutine once the window is there.
type shell interface {
	emit(name string, data any)
	up()    // shows the window above others
	close() // without stopping the engine
	size() (width, height int, maximised bool)
	chooseDirectory(title string) (string, error) // "" where nothing was chosen
}

// maxOpened bounds what waits to be shown; the oldest goes.
const maxOpened = 8

// window is the window of one home. Its methods may be called from any
// goroutine.
type window struct {
	home   config.Home
	engine *engine
	log    *slog.Logger
	began  time.Time

	mu      sync.Mutex
	shell   shell         // nil while there is no window
	there   chan struct{} // closed by appears
	listens bool          // the pages take what is opened as an event
	waiting []Opened
	painted bool
	front   bool // the person has it before them, as the pages say
	ending  bool // nothing goes on once it is closed

	closing sync.Mutex // held while it is being closed, which may be asked for again
}

func newWindow(home config.Home, e *engine, log *slog.Logger, began time.Time) *window {
	return &window{home: home, engine: e, log: log, began: began, there: make(chan struct{})}
}

// run shows the window until it is closed. It answers on l meanwhile, which it
// closes.
func (w *window) run(l net.Listener, o Options) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := web.Serve(ctx, l, w.socket()); ctx.Err() == nil {
			w.log.Error("other launches cannot reach the window", "error", err)
		}
	})
	running.Go(func() { w.followEngine(ctx) })
	running.Go(func() { w.heedSignals(ctx) })
	err := runShell(w, o)
	cancel(errors.New("the window was closed"))
	running.Wait()
	return err
}

// heedSignals notes until ctx ends that the window is ended by the system, with
// the session perhaps: then nothing is said of what goes on. Wails closes it.
func (w *window) heedSignals(ctx context.Context) {
	signals := make(chan os.Signal, 1) // one is enough
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	select {
	case <-ctx.Done():
	case <-signals:
		w.mu.Lock()
		w.ending = true
		w.mu.Unlock()
	}
}

// followEngine passes the engine's states on to the pages until ctx ends, and
// closes the window when the engine was asked to end. It begins once there is a
// window: where none can be opened, no engine is left behind.
func (w *window) followEngine(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-w.there:
	}
	err := w.engine.follow(ctx,
		func() { w.emit(eventEngine, true) },
		func(event []byte) { w.emit(eventState, json.RawMessage(event)) },
		func() { w.emit(eventEngine, false) })
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, errEnded):
		w.end()
	default:
		w.log.Error("no engine can be started", "error", err)
	}
}

// appears is called once, when the system's window is there.
func (w *window) appears(s shell) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shell = s
	close(w.there)
}

func (w *window) present() shell {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shell
}

func (w *window) emit(name string, data any) {
	if s := w.present(); s != nil {
		s.emit(name, data)
	}
}

func (w *window) up() {
	if s := w.present(); s != nil {
		s.up()
	}
}

// end closes the window after the engine has ended.
func (w *window) end() {
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	if s := w.present(); s != nil {
		s.close()
	}
}

// closes is called, from any goroutine, before the window closes, and returns
// when it may.
func (w *window) closes(s shell) {
	w.closing.Lock()
	defer w.closing.Unlock()
	now := size{}
	now.Width, now.Height, now.Maximised = s.size()
	now.Told = w.tells()
	if err := now.write(w.home.WindowFile()); err != nil {
		w.log.Warn("the size of the window was not kept", "error", err)
	}
}

// tellWithin bounds how long the window waits for the engine to say that it goes
// on.
const tellWithin = 3 * time.Second

// tells has the engine tell the person, once, that syncing goes on without the
// window, and reports whether they know. Where the system shows no notifications
// nothing is said: a question before the window closes would keep it from being
// ended by the system.
func (w *window) tells() bool {
	w.mu.Lock()
	ending := w.ending
	w.mu.Unlock()
	if ending || readSize(w.home.WindowFile()).Told {
		return !ending
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
	defer cancel()
	closed, err := w.engine.api().WindowClosed(ctx)
	return err == nil && closed.Told
}

// open has the pages show something, now or as soon as they can.
func (w *window) open(o Opened) {
	if o.empty() {
		return
	}
	w.mu.Lock()
	s := w.shell
	now := w.listens && s != nil
	if !now {
		w.waiting = append(w.waiting, o)
		w.waiting = w.waiting[max(0, len(w.waiting)-maxOpened):]
	}
	w.mu.Unlock()
	if now {
		s.emit(eventOpened, o)
	}
}

// listening says that the pages are there, and gives what waits for them.
func (w *window) listening() []Opened {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listens = true
	waiting := w.waiting
	w.waiting = nil
	if waiting == nil {
		waiting = []Opened{}
	}
	return waiting
}

// firstPaint notes that the pages have shown something for the first time.
func (w *window) firstPaint() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.painted {
		w.painted = true
		w.log.Info("first paint", "ms", time.Since(w.began).Milliseconds())
	}
}

// comes notes whether the person has the window before them.
func (w *window) comes(front bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.front = front
}

func (w *window) inFront() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.front
}

// dropped takes what was dropped on the window: a directory is to be shared, else
// the one in which the first file lies.
func (w *window) dropped(paths []string) {
	if i := slices.IndexFunc(paths, isDirectory); i >= 0 {
		w.open(Opened{Path: paths[i]})
		return
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			w.open(Opened{Path: filepath.Dir(path), File: filepath.Base(path)})
			return
		}
	}
}

// quitWithin bounds how long the window waits for the engine to end.
const quitWithin = 10 * time.Second

// quit ends the engine, in order, and then closes the window.
func (w *window) quit() error {
	ctx, cancel := context.WithTimeout(context.Background(), quitWithin)
	defer cancel()
	if err := w.engine.api().Stop(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if held, err := w.home.Held(); err != nil || !held {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookPause):
		}
	}
	w.end()
	return nil
}
