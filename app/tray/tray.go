package tray

import (
	"context"
	"log/slog"
	"time"

	"lanyard/app/config"
	"lanyard/app/launch"
	"lanyard/app/notify"
	"lanyard/app/service"
	"lanyard/app/text"
)

// Engine is what the tray shows and does; *service.Service fulfils it.
type Engine interface {
	Follow(context.Context, func(service.SnapshotEvent) error) error
	PauseAll(ctx context.Context, paused bool, until time.Time) error
	Stop(context.Context) error
}

// Options is what the tray runs with.
type Options struct {
	Engine Engine
	Home   config.Home
	Words  *text.Catalogue
	Log    *slog.Logger
}

// Tray is the icon of an engine, and its notifications.
type Tray struct {
	Options
	sender notify.Sender // nil where nothing can be notified
}

// New makes a tray. It starts nothing: call Run.
func New(o Options) *Tray {
	t := &Tray{Options: o}
	t.sender = notify.NewSender(o.Words, t.openWindow)
	return t
}

// TellClosed tells the person, who has closed the window, that syncing goes on
// and where it is found. It reports whether they were told.
func (t *Tray) TellClosed(context.Context) bool {
	if t.sender == nil {
		return false
	}
	where := text.ClosedStart
	if watched() {
		where = text.ClosedTray
	}
	err := t.sender.Send(notify.Notification{Title: t.Words.SayDesktop(text.ClosedTitle, nil), Body: t.Words.SayDesktop(where, nil), Page: overview})
	if err != nil {
		t.Log.Debug("it was not told that syncing goes on", "error", err)
	}
	return err == nil
}

// Program is that of the window, which lies beside the engine.
const Program = "lanyard-desktop"

// overview opens the window wherever it is.
const overview = ""

// openWindow starts the window at a page, or raises the one that is open.
func (t *Tray) openWindow(page string) {
	program := launch.Beside(Program)
	if program == "" {
		return
	}
	argv := []string{program, "--home", t.Home.Dir()}
	if page != overview {
		argv = append(argv, "--page", page)
	}
	if err := launch.Detached(argv...); err != nil {
		t.Log.Error("the window cannot be started", "error", err)
	}
}
