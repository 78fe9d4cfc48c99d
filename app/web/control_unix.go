//go:build unix

package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// maxSocketPath is the longest path in bytes that is tried: systems allow 104
// to 108, with the NUL at the end.
const maxSocketPath = 100

// listenControl listens on the socket in the home, or on one in
// XDG_RUNTIME_DIR where that path is too long or cannot be bound.
func listenControl(p Place) (net.Listener, string, error) {
	first := errors.New("its path is longer than 100 bytes")
	if len(p.Socket) <= maxSocketPath {
		l, err := listenUnix(p.Socket)
		if err == nil {
			return l, p.Socket, nil
		}
		first = err
	}
	runtime := os.Getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(runtime) {
		return nil, "", fmt.Errorf("%s: %w, and XDG_RUNTIME_DIR names no directory to use instead", p.Socket, first)
	}
	second := filepath.Join(runtime, "lanyard-"+p.Digest+".sock")
	l, err := listenUnix(second)
	if err != nil {
		return nil, "", fmt.Errorf("%w, and instead: %w", first, err)
	}
	return l, second, nil
}

func listenUnix(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &ownListener{l}, nil
}

func dialControl(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", address)
}

// ownListener accepts only connections of this user and of root. The mode of
// the socket says the same; the check holds where a file system ignores modes,
// and in the moment before the mode is set.
type ownListener struct{ *net.UnixListener }

// Accept gives the next connection of a user who may connect, and closes the
// others.
func (l *ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUID(c); err == nil && mayConnect(uid, os.Getuid()) {
			return c, nil
		}
		_ = c.Close() // not one of ours: nothing to tell it
	}
}

// mayConnect reports whether a process of user peer may control a program of
// user own.
func mayConnect(peer, own int) bool { return peer == own || peer == 0 }

// onConn runs f with the file descriptor of c.
func onConn(c *net.UnixConn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}
