package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// closing is how long requests under way may take to end once the server is
// told to: their contexts have ended, so they only have to notice.
const closing = 3 * time.Second

// Place says where a home's control socket may be.
type Place struct {
	Socket string // path of the socket in the home
	Digest string // names the home where that path cannot be used
}

// Listen opens the control socket and gives the address at which Dial finds
// it. Only this user, and the administrator, can connect. The caller must hold
// the home's lock: a socket left behind by a program that died is replaced.
func Listen(p Place) (net.Listener, string, error) {
	l, address, err := listenControl(p)
	if err != nil {
		return nil, "", fmt.Errorf("open the control socket: %w", err)
	}
	return l, address, nil
}

// Serve answers requests on l until ctx ends, and then waits for those under
// way, whose contexts end with ctx. It closes l and gives the cause of the end.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	var end sync.WaitGroup
	end.Go(func() {
		<-ctx.Done()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if server.Shutdown(limited) != nil {
			_ = server.Close() // what did not notice is cut off
		}
	})
	err := server.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	end.Wait()
	return context.Cause(ctx)
}
