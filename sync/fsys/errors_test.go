package fsys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"lanyard/sync/fault"
)

func TestEveryConditionHasAKindAndAName(t *testing.T) {
	tests := []struct {
		op   OpName
		err  error
		kind fault.Kind
		code fault.Code
	}{
		{OpWrite, ErrNoSpace, fault.Folder, "disk-full"},
		{OpCreate, ErrReadOnly, fault.Folder, "folder-read-only"},
		{OpReadDir, fs.ErrPermission, fault.Item, "dir-unreadable"},
		{OpOpen, fs.ErrPermission, fault.Item, "file-unreadable"},
		{OpRename, fs.ErrPermission, fault.Item, "file-not-writable"},
		{OpRead, ErrIO, fault.Item, "file-unreadable"},
		{OpReadDir, ErrIO, fault.Item, "dir-unreadable"},
		{OpSyncFiles, ErrIO, fault.Folder, "disk-failing"},
		{OpLstat, fs.ErrNotExist, fault.Item, ""},
		{OpCheck, fs.ErrNotExist, fault.Folder, "folder-missing"},
		{OpCheck, ErrRootChanged, fault.Folder, "folder-swapped"},
		{OpLstat, ErrGone, fault.Folder, "folder-missing"},
		{OpRename, ErrInUse, fault.Retry, "file-in-use"},
		{OpOpen, ErrBusy, fault.Retry, ""},
		{OpOpen, fs.ErrClosed, fault.Retry, ""},
		{OpRemove, ErrNotEmpty, fault.Item, "dir-not-empty"},
		{OpOpen, ErrNotRegular, fault.Item, "not-a-file"},
		{OpOpen, ErrNotDirectory, fault.Item, ""},
		{OpWrite, ErrTooLarge, fault.Item, "file-too-large"},
		{OpCreate, ErrNameTooLong, fault.Item, "name-too-long"},
		{OpCreate, ErrName, fault.Item, "name-not-possible"},
		{OpSymlink, ErrUnsupported, fault.Item, "link-not-possible"},
		{OpExchange, ErrUnsupported, fault.Item, ""},
		{OpCreate, fs.ErrExist, fault.Item, ""},
		{OpCreate, errors.New("nobody knows"), fault.Unknown, ""},
	}
	for _, test := range tests {
		err := fail(test.op, "a", fmt.Errorf("deep down: %w", test.err))
		if fault.KindOf(err) != test.kind || fault.CodeOf(err) != test.code || !errors.Is(err, test.err) {
			t.Errorf("%s with %v: %v, %q; want %v, %q", test.op, test.err,
				fault.KindOf(err), fault.CodeOf(err), test.kind, test.code)
		}
	}
}

func TestAFaultAndAContextErrorPassUntouched(t *testing.T) {
	inner := fail(OpOpen, "a", fs.ErrNotExist)
	if got := fail(OpRename, "b", inner); got != inner {
		t.Errorf("a fault was wrapped again: %v", got)
	}
	if got := fail(OpOpen, "a", context.Canceled); got != context.Canceled {
		t.Errorf("a context error became %v", got)
	}
	if got := fail(OpOpen, "a", nil); got != nil {
		t.Errorf("success became %v", got)
	}
}
