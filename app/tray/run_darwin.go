//go:build tray && cgo

package tray

import (
	"context"
	"image"

	"fyne.io/systray"
)

// reachable reports whether there may be a tray: macOS always has one.
func reachable() bool { return true }

// watched reports whether there is somebody who shows icons of the tray: macOS
// itself does.
func watched() bool { return true }

// show makes the icon, which build makes the menu of, and returns when ctx ends.
func show(ctx context.Context, build, begin func()) {
	go func() {
		<-ctx.Done()
		systray.Quit()
	}()
	systray.Run(func() { build(); begin() }, nil)
}

// setIcon shows a picture in the colour of the bar, which macOS chooses.
func setIcon(p *image.RGBA) { systray.SetTemplateIcon(encodePNG(template(p)), nil) }

// literal gives text for a menu: it stands there as it is.
func literal(text string) string { return text }

// short gives a text that may stand over the icon: any may.
func short(text string) string { return text }
