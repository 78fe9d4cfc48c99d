//go:build !linux

package watch

// New returns a Watcher of the directory root. It starts nothing. On this
// system it polls: see Polling and Options.Poll.
func New(_ string, o Options) Watcher { return NewPolling(o.Poll) }
