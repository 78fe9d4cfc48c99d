package config

import (
	"strconv"

	"lanyard/sync/fault"
)

// Reason says in which way a request was refused.
type Reason int

// The reasons.
const (
	// Invalid is a request that can never be granted as it stands.
	Invalid Reason = iota
	// NotFound names something that is not there.
	NotFound
	// Exists would make something a second time, or in the way of another.
	Exists
	// Unavailable may be granted later, or when another program has ended.
	Unavailable
)

// Refusal is a request that was refused for a reason that the person who asked
// can act on. Nothing was changed.
type Refusal struct {
	Reason Reason
	Code   fault.Code // "" where the condition has no name of its own
	Item   string     // what it is about, may be empty
	Text   string     // what is wrong: a sentence without a full stop
	Remedy string     // what to do: likewise, may be empty
}

// Error gives the text and the remedy.
func (r *Refusal) Error() string {
	if r.Remedy == "" {
		return r.Text
	}
	return r.Text + ": " + r.Remedy
}

// quote makes text from outside safe to show in a terminal.
func quote(s string) string { return strconv.Quote(s) }
