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
	_, err = os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (e Entry) file() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, "Library", "LaunchAgents", e.label()+".plist"), err
}

func (e Entry) label() string { return "io." + e.Name }

// text is a property list that starts the program once, and not again when it
// was quit.
func (e Entry) text() string {
	var words strings.Builder
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for _, word := range e.Command {
		words.WriteString("<string>" + escape.Replace(word) + "</string>")
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>` + e.label() + `</string>
<key>ProgramArguments</key><array>` + words.String() + `</array>
<key>RunAtLoad</key><true/>
<key>ProcessType</key><string>Background</string>
</dict></plist>
`
}
