//go:build tray

package tray

import (
	"context"
	"image"
	"strings"
	"unicode/utf16"

	"fyne.io/systray"
)

// reachable reports whether there may be a tray: Windows always has one.
func reachable() bool { return true }

// watched reports whether there is somebody who shows icons of the tray: Windows
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

// setIcon shows a picture.
func setIcon(p *image.RGBA) { systray.SetIcon(encodeICO(p)) }

// literal gives text for a menu, in which an ampersand marks a key.
func literal(text string) string { return strings.ReplaceAll(text, "&", "&&") }

// maxTip is how many UTF-16 units Windows shows over an icon.
const maxTip = 127

// short gives a text that may stand over the icon, cut where it is too long.
func short(text string) string {
	runes := []rune(text)
	if len(utf16.Encode(runes)) <= maxTip {
		return text
	}
	for len(utf16.Encode(runes)) >= maxTip {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
