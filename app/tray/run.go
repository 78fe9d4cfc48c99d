//go:build tray && (linux || windows || (darwin && cgo))

package tray

import (
	"context"
	"sync"
	"time"

	"fyne.io/systray"

	"lanyard/app/launch"
	"lanyard/app/text"
	"lanyard/sync/status"
)

// Run shows the tray, and notifies, until ctx ends; where there is no desktop
// that it can speak to, it returns at once. It is called from the goroutine of
// main: macOS draws from no other thread, and Windows from the one alone that
// began.
func (t *Tray) Run(ctx context.Context) {
	if !reachable() {
		return
	}
	var running sync.WaitGroup
	defer running.Wait()
	if t.sender != nil {
		running.Go(func() { t.notifies(ctx) })
		defer t.sender.Close()
	}
	icon := &icon{Tray: t, running: &running, acts: make(chan func(context.Context), 8)}
	systray.SetOnTapped(func() { icon.act(func(context.Context) { t.openWindow(overview) }) })
	show(ctx, func() { icon.build(ctx) }, func() {
		running.Go(func() { icon.work(ctx) })
		running.Go(func() { follow(ctx, t.Engine, icon.show) })
	})
}

// icon is the one icon of this process: the library keeps it in variables of its
// own. show alone changes it once it is built.
type icon struct {
	*Tray
	running *sync.WaitGroup
	acts    chan func(context.Context) // what was chosen, for work
	shown   Face

	state, safe, needs, open, hour, pause, resume entry
	folders                                       [MaxFolders + 1]entry
}

// build makes the menu, with places for all that it may ever hold: what is
// taken out and made anew would close the menu under a person's hand.
func (i *icon) build(ctx context.Context) {
	i.state, i.safe = label(), label()
	for n := range i.folders {
		i.folders[n] = label()
	}
	systray.AddSeparator()
	i.needs = i.button(ctx, func(context.Context) { i.openWindow("#/needs") })
	i.open = i.button(ctx, func(context.Context) { i.openWindow(overview) })
	i.hour = i.button(ctx, func(ctx context.Context) { i.pauseAll(ctx, true, time.Now().Add(time.Hour)) })
	i.pause = i.button(ctx, func(ctx context.Context) { i.pauseAll(ctx, true, time.Time{}) })
	i.resume = i.button(ctx, func(ctx context.Context) { i.pauseAll(ctx, false, time.Time{}) })
	systray.AddSeparator()
	quit := i.button(ctx, i.quit)
	if launch.Beside(Program) != "" {
		i.open.say(i.Words.SayDesktop(text.TrayOpen, nil))
	}
	quit.say(i.Words.SayDesktop(text.DesktopStop, nil))
	i.draw(Face{Mark: Away, State: i.Words.SayWindow("engine.starting", nil)})
}

// show shows a state, and touches only what is another than before.
func (i *icon) show(s status.Snapshot) { i.draw(Look(s, i.Words)) }

func (i *icon) draw(f Face) {
	if i.shown.Mark != f.Mark {
		setIcon(Draw(f.Mark))
	}
	if tip := f.Tip(i.Words); i.shown.Tip(i.Words) != tip {
		systray.SetTooltip(short(tip))
	}
	i.state.say(f.State)
	i.safe.say(f.Safe)
	for n := range i.folders {
		line := ""
		if n < len(f.Folders) {
			line = f.Folders[n]
		}
		i.folders[n].say(line)
	}
	i.needs.say(f.Needs)
	i.hour.sayIf(f.Pausing, i.Words.SayDesktop(text.TrayHour, nil))
	i.pause.sayIf(f.Pausing, i.Words.SayDesktop(text.TrayPause, nil))
	i.resume.sayIf(f.Paused, i.Words.SayDesktop(text.TrayResume, nil))
	i.shown = f
}

// act hands on what was chosen. What is chosen faster than it can be done is
// left out.
func (i *icon) act(f func(context.Context)) {
	select {
	case i.acts <- f:
	default:
	}
}

// work does what was chosen, until ctx ends.
func (i *icon) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-i.acts:
			f(ctx)
		}
	}
}

// entry is a line of the menu; one that says nothing is not seen.
type entry struct {
	item *systray.MenuItem
	said string
}

// label makes a line to be read alone.
func label() entry {
	item := systray.AddMenuItem("", "")
	item.Disable()
	item.Hide()
	return entry{item: item}
}

// button makes a line that does something when it is chosen, until ctx ends.
func (i *icon) button(ctx context.Context, f func(context.Context)) entry {
	item := systray.AddMenuItem("", "")
	item.Hide()
	i.running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-item.ClickedCh: // the library leaves out those that nobody waits for
				i.act(f)
			}
		}
	})
	return entry{item: item}
}

func (e *entry) say(text string) {
	switch {
	case e.said == text:
		return
	case text == "":
		e.item.Hide() // first: on Windows to name an entry is to show it
	default:
		e.item.SetTitle(literal(text))
		e.item.Show()
	}
	e.said = text
}

func (e *entry) sayIf(there bool, text string) {
	if !there {
		text = ""
	}
	e.say(text)
}
