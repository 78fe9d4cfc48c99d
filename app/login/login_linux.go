package login

import (
	"os"
	"path/filepath"
	"strings"
)

// turnedOff reports whether a desktop turned the entry off, by a line of its own.
func turnedOff(text string) bool {
	return strings.Contains(text, "\nHidden=true\n") || strings.Contains(text, "\nX-GNOME-Autostart-enabled=false\n")
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
