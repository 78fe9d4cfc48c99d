package text

import "time"

// DesktopText names a sentence that the system shows, outside of the pages.
type DesktopText string

// The sentences, with their values.
const (
	DesktopFile DesktopText = "file"
	DesktopStop DesktopText = "stop"
)

// DesktopTexts lists them.
func DesktopTexts() []DesktopText { return []DesktopText{DesktopFile, DesktopStop} }

// SayDesktop gives a sentence that the system shows, with what is lacking left
// out.
func (c *Catalogue) SayDesktop(t DesktopText, params map[string]string) string {
	s, _ := filler{params: params, language: c.Language, now: time.Now()}.fill(c.Desktop[t])
	return s
}
