// Package desktop is the window: a process of its own beside the engine, which
// shows the pages and comes and goes while syncing goes on. It finds the engine
// of its home or starts one, carries the requests of the pages to the engine's
// control socket, and tells the pages each new state. It shares no memory with
// the engine, and no file but what the home's locks say.
//
// There is one window for each home. A second launch hands over what it was
// asked to show and ends.
//
// This is the only package that imports Wails. Without the build tags desktop
// and production that is a stub, so that everything compiles without a web
// view; such a program says so and ends.
package desktop
