package web

import (
	"context"
	"fmt"
	"net"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// listenControl listens on a named pipe that only this user can open. The
// first instance of a pipe's name is made exclusively, so no other program can
// stand in its place.
func listenControl(p Place) (net.Listener, string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, "", fmt.Errorf("find the current user: %w", err)
	}
	name := `\\.\pipe\lanyard-` + p.Digest
	l, err := winio.ListenPipe(name, &winio.PipeConfig{
		// Protected; everything for this user, nothing for anyone else.
		SecurityDescriptor: "D:P(A;;GA;;;" + user.User.Sid.String() + ")",
	})
	if err != nil {
		return nil, "", err
	}
	return l, name, nil
}

func dialControl(ctx context.Context, address string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, address)
}
