package cli

import (
	"context"

	"golang.org/x/sys/windows"
)

// openFile opens a file with the program that the person chose for its kind.
func openFile(_ context.Context, name string) error {
	file, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	return windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL)
}
