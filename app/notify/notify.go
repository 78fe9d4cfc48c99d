package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/sync/status"
)

// Engine is whose states are followed; *service.Service fulfils it.
type Engine interface {
	Follow(context.Context, func(service.SnapshotEvent) error) error
}

// Sender brings notifications to the screen. Its methods may be called from any
// goroutine.
type Sender interface {
	// Send shows a notification. An error says that nobody sees it.
	Send(Notification) error
	// Close takes nothing back, and ends what the sender runs.
	Close()
}

// Options is what notifications run with.
type Options struct {
	Engine Engine
	Sender Sender
	File   string // what is remembered over a restart
	Words  *text.Catalogue
	Log    *slog.Logger
	// InFront reports whether the pages are before the person: then they tell
	// what is new.
	InFront func(context.Context) bool
}

// Run tells what there is to tell until ctx ends.
func Run(ctx context.Context, o Options) {
	states := make(chan status.Snapshot, 1)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		// Its end is that of ctx.
		_ = o.Engine.Follow(ctx, func(e service.SnapshotEvent) error {
			select {
			case <-states: // a newer one takes its place
			default:
			}
			states <- e.Status // nobody else fills it
			return nil
		})
	}()
	defer func() { <-followed }()

	told, err := remembered(o.File)
	if err != nil {
		o.Log.Warn("it is not known what was told before", "error", err)
	}
	desk, transfers := NewDesk(o.Words, told, time.Now()), NewTransfers(o.Words)
	var state status.Snapshot
	for {
		var again <-chan time.Time
		now := time.Now()
		due, next := desk.Look(now, append(Things(state, o.Words), transfers.Look(now, state)...))
		o.tell(ctx, due)
		o.keep(desk)
		if !next.IsZero() {
			again = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case state = <-states:
		case <-again:
		}
	}
}

// tell sends notifications, unless the person sees the pages.
func (o Options) tell(ctx context.Context, due []Notification) {
	if len(due) == 0 || o.InFront(ctx) {
		return
	}
	for _, n := range due {
		if err := o.Sender.Send(n); err != nil {
			o.Log.Debug("a notification was not shown", "kind", string(n.Kind), "error", err)
		}
	}
}

// kept is the file of what was told.
type kept struct {
	Told map[string]int64 `json:"told"` // how many each thing stood for
}

func remembered(file string) (map[string]int64, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	return k.Told, err
}

// keep writes what was told, where that changed. After a power cut something may
// be told again.
func (o Options) keep(d *Desk) {
	told, changed := d.Told()
	if !changed {
		return
	}
	if err := config.Remember(o.File, kept{told}); err != nil {
		o.Log.Warn("what was told will be told again after a restart", "error", err)
	}
}
