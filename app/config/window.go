package config

import "lanyard/sync/fault"

// WindowLock is the exclusive right to show the window of a home. It guards no
// file: the engine has a lock of its own.
type WindowLock struct{ lock *lock }

// LockWindow takes the right to show the window of a home, and makes the home
// if it is not there. It fails at once with ErrLocked where another process has
// it. The system gives it back when the process ends, however it ends.
func (h Home) LockWindow() (*WindowLock, error) {
	if err := h.create(); err != nil {
		return nil, err
	}
	l, err := h.take(h.windowLock())
	if err != nil {
		return nil, err
	}
	return &WindowLock{l}, nil
}

// Announce writes where the window can be told what to show.
func (w *WindowLock) Announce(address string) error { return w.lock.announce(address) }

// Release gives the right back.
func (w *WindowLock) Release() error {
	return fault.Wrap(fault.Node, "", "release the lock of the window", "", w.lock.release())
}

// WindowHolder reads who shows the window of the home, with the doubts of
// Holder.
func (h Home) WindowHolder() (Holder, bool) { return holderOf(h.windowLock()) }
