package login

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// withoutConsole gives a command that opens no terminal: any does here.
func withoutConsole(command []string) []string { return command }

// Set says whether the program is started at login; it takes effect at the next
// one.
func (e Entry) Set(on bool) error {
	file, err := e.file()
	if err != nil {
		return err
	}
	if !on {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(e.text()), 0o600)
}

// IsSet reports whether the program is started at login.
func (e Entry) IsSet() (bool, error) {
	file, err := e.file()
	if err != nil {
		return false, err
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	// Desktops turn an entry off by a line of their own.
	off := strings.Contains(string(data), "\nHidden=true\n") || strings.Contains(string(data), "\nX-GNOME-Autostart-enabled=false\n")
	return err == nil && !off, err
}

// file is where the Desktop Application Autostart Specification has entries of
// one user.
func (e Entry) file() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "autostart", e.Name+".desktop"), err
}

func (e Entry) text() string {
	words := make([]string, 0, len(e.Command))
	for _, word := range e.Command {
		words = append(words, quote(word))
	}
	return "[Desktop Entry]\nType=Application\nName=Lanyard\nIcon=lanyard\nTerminal=false\nX-GNOME-Autostart-enabled=true\n" +
		"Exec=" + strings.Join(words, " ") + "\n"
}

// quote writes one word of a command as the Desktop Entry Specification has it:
// in quotation marks, within them four signs after a backslash, and then each
// backslash twice, because the value is a string as well.
func quote(word string) string {
	word = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`, `%`, `%%`).Replace(word)
	return strings.ReplaceAll(`"`+word+`"`, `\`, `\\`)
}
