package login

import (
	"errors"
	"slices"
	"syscall"

	"golang.org/x/sys/windows/registry"

	"lanyard/app/launch"
)

// run is the key whose values are started when this user logs in.
const run = `Software\Microsoft\Windows\CurrentVersion\Run`

// withoutConsole gives a command that opens no console: that of the window, where
// it lies beside the engine, starts the engine without one.
func withoutConsole(command []string) []string {
	window := launch.Beside("lanyard-desktop")
	if window == "" {
		return command
	}
	command = slices.Clone(command)
	command[0], command[len(command)-1] = window, "--background"
	return command
}

// Set says whether the program is started at login; it takes effect at the next
// one.
func (e Entry) Set(on bool) error {
	key, _, err := registry.CreateKey(registry.CURRENT_USER, run, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer key.Close()
	if on {
		return key.SetStringValue(e.value(), e.text())
	}
	if err := key.DeleteValue(e.value()); !errors.Is(err, registry.ErrNotExist) {
		return err
	}
	return nil
}

// IsSet reports whether the program is started at login.
func (e Entry) IsSet() (bool, error) {
	key, err := registry.OpenKey(registry.CURRENT_USER, run, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer key.Close()
	_, _, err = key.GetStringValue(e.value())
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// value is the name that the installer's removal knows.
func (e Entry) value() string {
	if e.Name == "lanyard" {
		return "Lanyard"
	}
	return e.Name
}

func (e Entry) text() string {
	text := ""
	for i, word := range e.Command {
		if i > 0 {
			text += " "
		}
		text += syscall.EscapeArg(word)
	}
	return text
}
