// Package window holds the acceptance tests of the real window: the program as
// people have it, on a display of its own with a window manager, over real
// engines, with a mouse and a keyboard.
//
// A plain "go test ./..." leaves them out. They run with LANYARD_WINDOW naming
// a directory that holds lanyard and lanyard-desktop, the second built with the
// tag probe, through which a test reads what stands in the page; what it does
// there it does with mouse and keys. build/test.sh runs them in a network and
// with processes of their own, so that nothing stays behind. Pictures of every
// screen go into build/cache/window/shots.
package window
