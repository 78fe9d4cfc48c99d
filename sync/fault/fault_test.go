package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestErrorTexts(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{New(Item, "name-twin", "two of %s", "a"), "two of a"},
		{Wrap(Folder, "disk-full", "write", "a/b", fs.ErrInvalid), "write a/b: invalid argument"},
		{Wrap(Retry, "", "dial", "", fs.ErrInvalid), "dial: invalid argument"},
		{&Error{Op: "open", Item: "f", Code: "gone"}, "open f: gone"},
		{&Error{Op: "open"}, "open"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%#v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestTheOutermostKindAndTheFirstCodeCount(t *testing.T) {
	inner := Wrap(Item, "file-unreadable", "open", "f", fs.ErrPermission)
	tests := []struct {
		name string
		err  error
		kind Kind
		code Code
	}{
		{"nothing", nil, Unknown, ""},
		{"nobody classified it", fs.ErrPermission, Unknown, ""},
		{"as made", inner, Item, "file-unreadable"},
		{"wrapped with text", fmt.Errorf("pull f: %w", inner), Item, "file-unreadable"},
		{"judged anew without a code", Wrap(Folder, "", "pull", "f", inner), Folder, "file-unreadable"},
		{"judged anew with one", Wrap(Folder, "disk-full", "pull", "f", inner), Folder, "disk-full"},
	}
	for _, tt := range tests {
		if k, c := KindOf(tt.err), CodeOf(tt.err); k != tt.kind || c != tt.code {
			t.Errorf("%s: %v %q, want %v %q", tt.name, k, c, tt.kind, tt.code)
		}
	}
	if !errors.Is(inner, fs.ErrPermission) {
		t.Error("the cause is lost")
	}
}

func TestWrapLetsNilAndTheEndOfAContextPass(t *testing.T) {
	for _, err := range []error{nil, context.Canceled, context.DeadlineExceeded, fmt.Errorf("read: %w", context.Canceled)} {
		if got := Wrap(Node, "x", "op", "item", err); got != err {
			t.Errorf("Wrap(%v) = %v", err, got)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	want := map[Kind]string{
		Unknown: "unknown", Retry: "retry", Item: "item", Peer: "peer", Folder: "folder", Node: "node", 99: "unknown",
	}
	for k, name := range want {
		if k.String() != name {
			t.Errorf("%d is %q, want %q", int(k), k, name)
		}
	}
}

func TestValuesStayWithTheErrorAndChangeNothingElse(t *testing.T) {
	inner := With(New(Folder, "rule-broken", "line %d is broken", 3), "line", "3", "rule", "a[")
	err := With(fmt.Errorf("open: %w", inner), "line", "4")
	if KindOf(err) != Folder || CodeOf(err) != "rule-broken" || err.Error() != "open: line 3 is broken" {
		t.Errorf("%v is of kind %v, code %q", err, KindOf(err), CodeOf(err))
	}
	if got := DataOf(err); got["line"] != "4" || got["rule"] != "a[" || len(got) != 2 {
		t.Errorf("values %v", got)
	}
	if got := DataOf(fs.ErrPermission); got == nil || len(got) != 0 {
		t.Errorf("values of an error without any: %v", got)
	}
	if With(nil, "a", "b") != nil || With(context.Canceled, "a", "b") != context.Canceled {
		t.Error("nothing, or the end of a context, was wrapped")
	}
}
