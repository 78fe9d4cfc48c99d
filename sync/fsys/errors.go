package fsys

import (
	"errors"
	"io/fs"

	"lanyard/sync/fault"
)

// More sentinels that errors of an FS wrap. They name conditions of the disk,
// so that tests can raise them and nobody has to know error numbers.
var (
	// ErrIO: the disk failed to read or write.
	ErrIO = errors.New("the disk reports an error")
	// ErrReadOnly: the file system is mounted read-only.
	ErrReadOnly = errors.New("the disk is read-only")
	// ErrGone: the file system was unmounted or its server went away.
	ErrGone = errors.New("the disk is not there any more")
	// ErrInUse: another program holds the file.
	ErrInUse = errors.New("the file is in use by another program")
	// ErrBusy: the system is out of descriptors or memory for now.
	ErrBusy = errors.New("the system is too busy")
	// ErrTooLarge: the file system cannot hold a file of this size.
	ErrTooLarge = errors.New("the file is too large for this disk")
	// ErrNameTooLong: the file system cannot hold a name this long.
	ErrNameTooLong = errors.New("the name is too long for this disk")
	// ErrName: the file system cannot hold this name at all.
	ErrName = errors.New("the name is not possible on this disk")
)

// Codes of the conditions that people see.
const (
	codeDiskFull      fault.Code = "disk-full"
	codeDiskFailing   fault.Code = "disk-failing"
	codeReadOnly      fault.Code = "folder-read-only"
	codeMissing       fault.Code = "folder-missing"
	codeSwapped       fault.Code = "folder-swapped"
	codeTooLarge      fault.Code = "file-too-large"
	codeUnreadable    fault.Code = "file-unreadable"
	codeDirUnreadable fault.Code = "dir-unreadable"
	codeNotWritable   fault.Code = "file-not-writable"
	codeInUse         fault.Code = "file-in-use"
	codeDirNotEmpty   fault.Code = "dir-not-empty"
	codeNotAFile      fault.Code = "not-a-file"
	codeNameTooLong   fault.Code = "name-too-long"
	codeName          fault.Code = "name-not-possible"
	codeLink          fault.Code = "link-not-possible"
)

// fail makes err the failure of one call: a *fault.Error that names the
// operation and the path and wraps the sentinels of this package and of io/fs
// that apply. Nil stays nil, and what already is a fault passes untouched.
func fail(op OpName, item string, err error) error {
	if err == nil || fault.IsContext(err) {
		return err
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	err = withSentinel(err)
	kind, code := classify(op, err)
	return fault.Wrap(kind, code, string(op), item, err)
}

// classify decides who must act on err: the table of this package.
func classify(op OpName, err error) (fault.Kind, fault.Code) {
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c.kind, c.code
		}
	}
	switch {
	case errors.Is(err, ErrUnsupported) && op == OpSymlink:
		return fault.Item, codeLink
	case errors.Is(err, ErrIO) && !op.reads():
		return fault.Folder, codeDiskFailing
	case errors.Is(err, fs.ErrNotExist) && op == OpCheck:
		return fault.Folder, codeMissing
	case errors.Is(err, ErrIO), errors.Is(err, fs.ErrPermission):
		return fault.Item, op.deniedCode()
	case errors.Is(err, ErrUnsupported), errors.Is(err, fs.ErrNotExist),
		errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrInvalid):
		return fault.Item, ""
	}
	return fault.Unknown, ""
}

// classes are the conditions whose kind does not depend on the operation. The
// order matters where a system error wraps two of them (a directory that is
// not empty also "exists").
var classes = []struct {
	err  error
	kind fault.Kind
	code fault.Code
}{
	{ErrNoSpace, fault.Folder, codeDiskFull},
	{ErrReadOnly, fault.Folder, codeReadOnly},
	{ErrRootChanged, fault.Folder, codeSwapped},
	{ErrGone, fault.Folder, codeMissing},
	{ErrInUse, fault.Retry, codeInUse},
	{ErrBusy, fault.Retry, ""},
	{fs.ErrClosed, fault.Retry, ""}, // the folder is being stopped or opened anew
	{ErrNotEmpty, fault.Item, codeDirNotEmpty},
	{ErrNotRegular, fault.Item, codeNotAFile},
	{ErrNotDirectory, fault.Item, ""},
	{ErrTooLarge, fault.Item, codeTooLarge},
	{ErrNameTooLong, fault.Item, codeNameTooLong},
	{ErrName, fault.Item, codeName},
}

// deniedCode names, for people, that this operation was denied.
func (o OpName) deniedCode() fault.Code {
	switch {
	case o == OpReadDir:
		return codeDirUnreadable
	case o.reads():
		return codeUnreadable
	}
	return codeNotWritable
}

// both is a system error together with the sentinel that names its condition.
type both struct{ sentinel, cause error }

// Error gives the sentinel's sentence and the system's own words.
func (b both) Error() string { return b.sentinel.Error() + " (" + b.cause.Error() + ")" }

// Unwrap gives both, for errors.Is.
func (b both) Unwrap() []error { return []error{b.sentinel, b.cause} }

// withRefusal makes the error of a link ErrUnsupported where the file system has
// no links, or the system refuses one of this file.
func withRefusal(err error) error {
	if err != nil && refusesLink(err) {
		return both{ErrUnsupported, err}
	}
	return err
}

// withSentinel adds to a system error the sentinel that names its condition,
// where there is one. The table is the platform's sentinelOf.
func withSentinel(err error) error {
	if s := sentinelOf(err); s != nil && !errors.Is(err, s) {
		return both{s, err}
	}
	return err
}
