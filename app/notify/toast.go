package notify

import (
	"encoding/xml"
	"strings"
)

// toast gives a notification as Windows reads it. Whatever it says stands there
// as text.
func toast(n Notification) string {
	escaped := func(s string) string {
		var out strings.Builder
		_ = xml.EscapeText(&out, []byte(s)) // memory does not refuse
		return out.String()
	}
	return `<toast activationType="foreground" launch="` + escaped(n.Page) + `"><visual><binding template="ToastGeneric"><text>` +
		escaped(n.Title) + `</text><text>` + escaped(n.Body) + `</text></binding></visual></toast>`
}
