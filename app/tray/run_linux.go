//go:build tray

package tray

import (
	"context"
	"image"
	"strings"

	"fyne.io/systray"
	"github.com/godbus/dbus/v5"
)

// reachable reports whether there is a session bus. It is looked for here,
// because the library would start one where there is none, and leave it behind.
// Who shows icons may come to the bus later: the library waits for them.
func reachable() bool {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return false
	}
	defer conn.Close()
	return conn.Auth(nil) == nil && conn.Hello() == nil
}

// watched reports whether there is somebody on the bus who shows icons of the
// tray.
func watched() bool {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.Auth(nil) != nil || conn.Hello() != nil {
		return false
	}
	var there bool
	return conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.kde.StatusNotifierWatcher").Store(&there) == nil && there
}

// show makes the icon, which build makes the menu of, and returns when ctx ends.
// What is changed while the library puts the icon on the bus may be lost, so
// that the menu is made before and changed after. The icon goes with the
// process: the library's own end panics where its begin failed.
func show(ctx context.Context, build, begin func()) {
	start, _ := systray.RunWithExternalLoop(nil, nil)
	systray.SetTitle("Lanyard")
	build()
	start()
	begin()
	<-ctx.Done()
}

// setIcon shows a picture.
func setIcon(p *image.RGBA) { systray.SetIcon(encodePNG(p)) }

// literal gives text for a menu, in which an underscore marks a key.
func literal(text string) string { return strings.ReplaceAll(text, "_", "__") }

// short gives a text that may stand over the icon: any may.
func short(text string) string { return text }
