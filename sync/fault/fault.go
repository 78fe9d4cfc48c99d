// Package fault says what kind of thing went wrong and who must act on it.
//
// The Kind alone decides what the program does next; the Code names the
// condition for people (the catalogue in app/text has a text for each). Only
// the packages at the edge (fsys, index, transport, bep) turn system errors
// into faults; everything above wraps with %w and asks KindOf.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind decides what happens next.
type Kind int

// The kinds, from "a bug" to "the program cannot start".
const (
	// Unknown is an error that nobody classified: a bug, logged in full.
	Unknown Kind = iota
	// Retry goes away by itself: back off and try again.
	Retry
	// Item concerns one name: sync the rest, try again on change.
	Item
	// Peer is the other device's fault: close that connection, slow redial.
	Peer
	// Folder stops one folder; nothing is deleted because of it.
	Folder
	// Node stops the program.
	Node
)

// String gives the kind's name for logs.
func (k Kind) String() string {
	switch k {
	case Retry:
		return "retry"
	case Item:
		return "item"
	case Peer:
		return "peer"
	case Folder:
		return "folder"
	case Node:
		return "node"
	default:
		return "unknown"
	}
}

// Code names a condition that people may see, such as "disk-full". The empty
// code means the condition has no name of its own.
type Code string

// Error is an error with a kind, and with a code where people may see it.
type Error struct {
	Kind Kind
	Code Code
	Op   string // what was attempted, e.g. "open"
	Item string // on what, e.g. a path; may be empty
	Err  error  // the cause; may be nil
	// Data is what the sentences about the code name: values by parameter.
	Data map[string]string
}

// Error gives "op item: cause".
func (e *Error) Error() string {
	s := e.Op
	if e.Item != "" {
		s += " " + e.Item
	}
	switch {
	case e.Err != nil && s != "":
		return s + ": " + e.Err.Error()
	case e.Err != nil:
		return e.Err.Error()
	case e.Code != "":
		return s + ": " + string(e.Code)
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an Error of the kind with a text made as by fmt.Errorf.
func New(k Kind, code Code, format string, args ...any) error {
	return &Error{Kind: k, Code: code, Err: fmt.Errorf(format, args...)}
}

// Wrap gives err a kind, code, operation and item. A nil err stays nil, and a
// context error passes untouched.
func Wrap(k Kind, code Code, op, item string, err error) error {
	if err == nil || IsContext(err) {
		return err
	}
	return &Error{Kind: k, Code: code, Op: op, Item: item, Err: err}
}

// With gives err values that the sentences about its code name, as pairs of
// parameter and value. Its text, kind and code stay; a nil err stays nil, and a
// context error passes untouched.
func With(err error, pairs ...string) error {
	if err == nil || IsContext(err) {
		return err
	}
	data := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[pairs[i]] = pairs[i+1]
	}
	return &Error{Kind: KindOf(err), Err: err, Data: data}
}

// DataOf gives the values in err's chain, those of the outermost error where
// several have one. It is never nil.
func DataOf(err error) map[string]string {
	out := map[string]string{}
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		for name, value := range e.Data {
			if _, known := out[name]; !known {
				out[name] = value
			}
		}
		err = e.Err
	}
	return out
}

// KindOf gives the kind of the outermost Error in err's chain, Unknown where
// there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// CodeOf gives the first code in err's chain, "" where there is none.
func CodeOf(err error) Code {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Code != "" {
			return e.Code
		}
		err = e.Err
	}
	return ""
}

// IsContext reports whether err is the end of a context.
func IsContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
