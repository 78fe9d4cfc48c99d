package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

func jsonFlag(c *cobra.Command, value *bool) {
	c.Flags().BoolVar(value, "json", false, "print JSON and nothing else")
}

// say prints one line.
func (a *app) say(format string, args ...any) error {
	_, err := fmt.Fprintf(a.Out, format+"\n", args...)
	return err
}

// printJSON prints one JSON document on one line.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// size gives a number of bytes for people, such as "1.2 GB".
func size(bytes int64) string { return humanize.Bytes(uint64(max(bytes, 0))) }

// count gives a number of things, such as "1 item" or "2,000 items".
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return humanize.Comma(n) + " " + thing + "s"
}

// span gives a duration for people, to the second below an hour and to the
// minute above.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	default:
		return fmt.Sprintf("%d s", s)
	}
}
