package desktop

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"lanyard/app/config"
	"lanyard/app/launch"
	"lanyard/app/web"
	"lanyard/sync/fault"
)

// How long the window waits for engines.
const (
	// lookPause is the time between two looks whether an engine is there.
	lookPause = 100 * time.Millisecond
	// startPause is the least time between two starts; it doubles up to
	// maxStartPause while no engine stays.
	startPause    = time.Second
	maxStartPause = time.Minute
	// stays is how long an engine has answered that counts as one that stays.
	stays = 10 * time.Second
	// followsWithin is how soon another engine follows one that was asked to
	// end, as at an update; without one the window closes.
	followsWithin = 5 * time.Second
	// ensureWithin bounds the wait for an engine where there is no window.
	ensureWithin = 15 * time.Second
)

// errEnded is the end of an engine that was asked to end.
var errEnded = errors.New("the engine was asked to end")

// engine finds the engine of a home, and starts one where none runs. Its
// methods but follow may be called from any goroutine.
type engine struct {
	home   config.Home
	client *http.Client // reaches whichever engine the home has
	start  func() error
	// follows is how long another may take after one that was asked to end.
	follows time.Duration
}

func newEngine(home config.Home) *engine {
	e := &engine{home: home, follows: followsWithin}
	e.client = &http.Client{Transport: web.Transport(e.address)}
	e.start = func() error {
		// Its log tells how it goes on.
		if err := launch.Detached(engineCommand(), "--home", home.Dir(), "serve"); err != nil {
			return fault.New(fault.Node, "", "start the engine: %w", err)
		}
		return nil
	}
	return e
}

// address gives the control socket of the home's engine.
func (e *engine) address() (string, error) {
	holder, ok := e.home.Holder()
	if !ok || holder.Control == "" {
		return "", web.ErrNotRunning
	}
	return holder.Control, nil
}

// api gives a client of the engine, whichever runs when it asks.
func (e *engine) api() *web.Client { return web.NewClient(e.client, web.AnyHost) }

// engineCommand gives the program that runs an engine: the one beside this one,
// which is linked with no web view and is smaller by that, or this one.
func engineCommand() string {
	if beside := launch.Beside("lanyard"); beside != "" {
		return beside
	}
	self, err := os.Executable()
	if err != nil {
		return "lanyard" // then by the search path
	}
	return self
}

// ensure returns once an engine of the home answers, having started one where
// none ran.
func (e *engine) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ensureWithin)
	defer cancel()
	w := watch{engine: e}
	if err := w.await(ctx); err != nil {
		return fault.New(fault.Node, "", "no engine came up within %v; its log is %s", ensureWithin, e.home.LogFile())
	}
	return nil
}

// follow tells every state of the home's engine, whichever runs: found before
// the first state of each, told for each state, lost when one is gone. An
// engine that died is started again. It returns errEnded when one was asked to
// end and no other came, or the cause of the end of ctx.
func (e *engine) follow(ctx context.Context, found func(), told func(event []byte), lost func()) error {
	w := watch{engine: e}
	for {
		if err := w.await(ctx); err != nil {
			return err
		}
		w.seen, w.last = true, time.Now()
		first := true
		_ = e.api().FollowText(ctx, func(event []byte) error { // its end is looked into by await
			if first {
				first = false
				found()
			}
			told(event)
			return nil
		})
		e.client.CloseIdleConnections()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !first {
			lost()
		}
		if time.Since(w.last) > stays {
			w.pause = 0
		}
		w.last = time.Now()
	}
}

// watch brings engines up one after the other. It is used by one goroutine.
type watch struct {
	*engine
	seen    bool          // one has answered
	last    time.Time     // when one was last there
	pause   time.Duration // before the next start
	started time.Time
}

// await returns once an engine answers, and starts one where it has to.
func (w *watch) await(ctx context.Context) error {
	for {
		if _, err := w.api().Identity(ctx); err == nil {
			return nil
		}
		if err := w.care(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lookPause):
		}
	}
}

// care starts an engine if that is wanted now.
func (w *watch) care() error {
	held, err := w.home.Held()
	if err != nil || held {
		return err // it is coming up or going down, or a command has the home for a moment
	}
	// Who ends in order takes back what it wrote into the lock.
	_, died := w.home.Holder()
	if w.seen && !died {
		if time.Since(w.last) > w.follows {
			return errEnded
		}
		return nil
	}
	if time.Since(w.started) < w.pause {
		return nil
	}
	w.started = time.Now()
	w.pause = min(max(2*w.pause, startPause), maxStartPause)
	return w.start()
}
