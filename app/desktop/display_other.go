//go:build !linux

package desktop

// noDisplay has nothing to say: these systems have a display, or no desktop
// programs at all.
func noDisplay() error { return nil }

// prepareWebView has nothing to do.
func prepareWebView() {}
