//go:build tray && (linux || windows || (darwin && cgo))

package tray

import (
	"context"
	"net/http"
	"time"

	"lanyard/app/notify"
	"lanyard/app/service"
	"lanyard/app/web"
	"lanyard/sync/status"
)

// notifies tells what there is to tell until ctx ends.
func (t *Tray) notifies(ctx context.Context) {
	notify.Run(ctx, notify.Options{
		Engine: t.Engine, Sender: t.sender, File: t.Home.NotifiedFile(), Words: t.Words, Log: t.Log, InFront: t.inFront,
	})
}

// askWithin bounds the wait for an answer of the window, which may be busy. One
// that hangs keeps nothing from being told.
const askWithin = 5 * time.Second

// inFront reports whether the person has the window of this home before them, as
// that says of itself.
func (t *Tray) inFront(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	transport := web.Transport(func() (string, error) {
		holder, ok := t.Home.WindowHolder()
		if !ok || holder.Control == "" {
			return "", web.ErrNotRunning
		}
		return holder.Control, nil
	})
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, web.AnyHost+"/front", nil)
	if err != nil {
		return false
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false // there is no window
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusNoContent
}

// look is the least time between two changes of what the tray shows.
const look = time.Second

// follow calls show with the newest state, at most once a second, until ctx
// ends.
func follow(ctx context.Context, e Engine, show func(status.Snapshot)) {
	// Its end is that of ctx.
	_ = e.Follow(ctx, func(event service.SnapshotEvent) error {
		show(event.Status)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(look):
			return nil
		}
	})
}

// pauseAll pauses every folder until a time, or without an end where that is
// zero; or resumes them.
func (t *Tray) pauseAll(ctx context.Context, paused bool, until time.Time) {
	if err := t.Engine.PauseAll(ctx, paused, until); err != nil {
		t.Log.Error("the folders were not paused or resumed", "paused", paused, "error", err)
	}
}

// quit ends the engine, in order.
func (t *Tray) quit(ctx context.Context) {
	if err := t.Engine.Stop(ctx); err != nil {
		t.Log.Error("the engine was not stopped", "error", err)
	}
}
