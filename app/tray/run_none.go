//go:build !tray || !(linux || windows || (darwin && cgo))

package tray

import "context"

// Run returns at once: this program was built without a tray.
func (*Tray) Run(context.Context) {}

// watched reports whether there is somebody who shows icons of the tray.
func watched() bool { return false }
