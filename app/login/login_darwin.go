package login

import (
	"os"
	"path/filepath"
	"strings"
)

// turnedOff reports whether the entry was turned off: the system keeps that
// elsewhere.
func turnedOff(string) bool { return false }

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
