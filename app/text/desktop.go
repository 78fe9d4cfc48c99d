package text

import (
	"strings"
	"time"

	"lanyard/sync/status"
)

// DesktopText names a sentence that the system shows, outside of the pages.
type DesktopText string

// The sentences, with their values.
const (
	DesktopFile DesktopText = "file"
	DesktopStop DesktopText = "stop"

	ClosedTitle DesktopText = "closed"
	ClosedTray  DesktopText = "closed.tray"
	ClosedStart DesktopText = "closed.start"

	TrayOpen        DesktopText = "tray.open"
	TrayPause       DesktopText = "tray.pause"
	TrayHour        DesktopText = "tray.hour"
	TrayResume      DesktopText = "tray.resume"
	TrayNeeds       DesktopText = "tray.needs"   // n
	TraySyncing     DesktopText = "tray.syncing" // percent
	TrayAway        DesktopText = "tray.away"
	TrayPausedUntil DesktopText = "tray.paused" // time
	TrayMore        DesktopText = "tray.more"   // n
	TrayTip         DesktopText = "tray.tip"    // state, and safe where it is known

	NotifyRequestTitle  DesktopText = "notify.request"
	NotifyConnect       DesktopText = "notify.connect"      // device
	NotifyOffer         DesktopText = "notify.offer"        // device, folder, and size, path and free where they are known
	NotifyRequestMany   DesktopText = "notify.request.many" // n
	NotifyTwoTitle      DesktopText = "notify.two"
	NotifyTwo           DesktopText = "notify.two.one"  // folder, n
	NotifyTwoMany       DesktopText = "notify.two.many" // n, total
	NotifyHeldTitle     DesktopText = "notify.held"
	NotifyHeldIn        DesktopText = "notify.held.in"   // folder, n, total, and devices where they are known
	NotifyHeldOut       DesktopText = "notify.held.out"  // folder, n, total
	NotifyHeldMany      DesktopText = "notify.held.many" // n
	NotifyFinishedTitle DesktopText = "notify.finished"
	NotifyFinishedThere DesktopText = "notify.finished.there" // folder, device, n
	NotifyFinishedHere  DesktopText = "notify.finished.here"  // folder, n
	NotifyFinishedMany  DesktopText = "notify.finished.many"  // n
	NotifyActionTitle   DesktopText = "notify.act"
	NotifyActionMany    DesktopText = "notify.act.many" // n
	NotifyOpen          DesktopText = "notify.open"
)

// DesktopTexts lists them.
func DesktopTexts() []DesktopText {
	return []DesktopText{
		DesktopFile, DesktopStop, ClosedTitle, ClosedTray, ClosedStart,
		TrayOpen, TrayPause, TrayHour, TrayResume, TrayPausedUntil, TrayNeeds, TraySyncing, TrayAway, TrayMore, TrayTip,
		NotifyRequestTitle, NotifyConnect, NotifyOffer, NotifyRequestMany, NotifyTwoTitle, NotifyTwo, NotifyTwoMany,
		NotifyHeldTitle, NotifyHeldIn, NotifyHeldOut, NotifyHeldMany,
		NotifyFinishedTitle, NotifyFinishedThere, NotifyFinishedHere, NotifyFinishedMany, NotifyActionTitle, NotifyActionMany, NotifyOpen,
	}
}

// SayDesktop gives a sentence that the system shows, with what is lacking left
// out.
func (c *Catalogue) SayDesktop(t DesktopText, params map[string]string) string {
	return c.say(c.Desktop[t], params)
}

// SayWindow gives a sentence of the pages, with what is lacking left out; "" for
// a key that there is not.
func (c *Catalogue) SayWindow(key string, params map[string]string) string {
	return c.say(c.Window[key], params)
}

// Reach says how a connection leaves this device, as the pages do, "" where
// nothing is certain.
func (c *Catalogue) Reach(r status.Reach) string {
	key := "reach." + string(r.Over)
	if r.Direct {
		key = strings.TrimSuffix(key, ".") + ".direct"
	}
	return c.SayWindow(key, nil)
}

// Title gives the title of a condition. It reports false as Sentence does.
func (c *Catalogue) Title(p status.Problem) (string, bool) {
	e, ok := c.Problems[p.Code]
	if !ok {
		return "", false
	}
	return filler{params: p.Param, language: c.Language, now: time.Now()}.fill(e.Title)
}

func (c *Catalogue) say(sentence string, params map[string]string) string {
	s, _ := filler{params: params, language: c.Language, now: time.Now()}.fill(sentence)
	return s
}
