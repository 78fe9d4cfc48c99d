package desktop

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"

	"lanyard/app/launch"
)

// showInFileManager shows a directory, or a file marked in its directory. It
// asks the desktop's file manager, and where there is none on the bus whatever
// opens directories. No file is opened: that could run it.
func showInFileManager(path string) error {
	if err := mustBeThere(path); err != nil {
		return err
	}
	method, dir := "ShowFolders", path
	if !isDirectory(path) {
		method, dir = "ShowItems", filepath.Dir(path)
	}
	if askFileManager(method, path) == nil {
		return nil
	}
	if err := launch.Detached("xdg-open", dir); err != nil {
		return fmt.Errorf("no file manager can be started: %w", err)
	}
	return nil
}

// fileManager is the name on the bus, and the interface, of the File Manager
// D-Bus Interface (freedesktop.org).
const fileManager = "org.freedesktop.FileManager1"

// fileManagerWithin bounds the start of a file manager that does not run yet.
const fileManagerWithin = 8 * time.Second

func askFileManager(method, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), fileManagerWithin)
	defer cancel()
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Auth(nil); err != nil {
		return err
	}
	if err := conn.Hello(); err != nil {
		return err
	}
	where := url.URL{Scheme: "file", Path: path}
	return conn.Object(fileManager, "/org/freedesktop/FileManager1").CallWithContext(ctx, fileManager+"."+method, 0, []string{where.String()}, "").Err
}
