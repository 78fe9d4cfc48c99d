// Package fsystest is the suite that every fsys.FS passes: what the methods
// promise, that no link leads anywhere, and that nothing blocks.
package fsystest

import (
	"errors"
	"io/fs"
	"testing"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// Subject is one fresh, empty folder under test.
type Subject struct {
	FS fsys.FS
	// User edits the folder beside FS.
	User Hands
	// Outside is a directory outside of the folder, as a symlink can name it;
	// the suite tries to reach it. "" where nothing is outside.
	Outside string
	// Canary tells everything about Outside: content, names, modes, times.
	Canary func() string
	// NoModes says that permissions are not kept, as on Windows.
	NoModes bool
}

// Hands are a person's edits, by slash-separated path. They follow no rules of
// fsys. Special makes a FIFO; it wraps errors.ErrUnsupported where the system
// has none.
type Hands interface {
	WriteFile(path string, data []byte) error
	ReadFile(path string) ([]byte, error)
	MkdirAll(path string) error
	Symlink(target, path string) error
	Link(from, to string) error
	Special(path string) error
	Rename(from, to string) error
	RemoveAll(path string) error
}

// Run runs the suite. open makes a Subject for each test and closes it by
// t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			before := ""
			if s.Canary != nil {
				before = s.Canary()
			}
			test.run(&world{T: t, Subject: s})
			if s.Canary != nil && s.Canary() != before {
				t.Errorf("what lies outside of the folder changed:\n%s\nwas:\n%s", s.Canary(), before)
			}
		})
	}
}

type spec struct {
	name string
	run  func(w *world)
}

var suite = []spec{
	{"a listing is complete, sorted by bytes and agrees with Lstat", listingIsComplete},
	{"a long listing is complete", longListing},
	{"names are raw bytes in listings", namesAreRaw},
	{"a name in another form is renamed but never onto another", renameRaw},
	{"a new file is empty, private and fails on a taken name", create},
	{"reads and writes go where they say", readAndWrite},
	{"reserving space leaves the size", reserve},
	{"permissions and times are kept to the nanosecond", metadata},
	{"permissions of a directory", directoryMode},
	{"rename replaces a file or a link at once", renameReplaces},
	{"rename never replaces a directory", renameKeepsDirectories},
	{"rename moves a directory with what it holds", renameDirectory},
	{"rename without replacing fails on a taken name", noReplace},
	{"exchange swaps two names of any kind", exchange},
	{"a link is a second name of a file, and of nothing else", link},
	{"what a file gives way to is undone where it was saved meanwhile", supersede},
	{"remove removes one thing and no full directory", remove},
	{"a symlink holds its target and is never followed", symlink},
	{"no method follows a link in a parent", linkedParents},
	{"no method follows a link at the end", linkedNames},
	{"no method goes through a file", fileAsParent},
	{"what is missing does not exist", missing},
	{"the root is no item", rootIsNoItem},
	{"special files are listed and never opened", special},
	{"a temporary file with a second link is refused", linkedTemp},
	{"a clone has the content and its own life", clone},
	{"what was written can be made durable", syncing},
	{"free space and root are told", freeAndCheck},
	{"links swapped in during calls lead nowhere", swappedParents},
	{"names swapped for links during calls lead nowhere", swappedNames},
}

// world is one running test.
type world struct {
	*testing.T
	Subject
}

func p(s string) relpath.Path { return relpath.MustParse(s) }

// must ends the test where a step of its story fails.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wants checks that err is want and that somebody classified it.
func (w *world) wants(what string, err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("%s: got %v, want %v", what, err, want)
		return
	}
	if fault.KindOf(err) == fault.Unknown {
		w.Errorf("%s: %v has no kind", what, err)
	}
}

// file makes a file by the user's hands.
func (w *world) file(path, content string) {
	w.Helper()
	w.must(w.User.WriteFile(path, []byte(content)))
}

// holds checks a file's content.
func (w *world) holds(path, want string) {
	w.Helper()
	got, err := w.User.ReadFile(path)
	if err != nil || string(got) != want {
		w.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
}

// kind checks what a name is; 0 is absent.
func (w *world) kind(path string, want fsys.Kind) {
	w.Helper()
	i, err := w.FS.Lstat(p(path))
	switch {
	case want == 0 && !errors.Is(err, fs.ErrNotExist):
		w.Errorf("%s is kind %d (%v), want it absent", path, i.Kind, err)
	case want != 0 && (err != nil || i.Kind != want):
		w.Errorf("%s is kind %d (%v), want %d", path, i.Kind, err, want)
	}
}

// close closes f where it was opened.
func closeFile(f fsys.File, err error) error {
	if err == nil {
		err = f.Close()
	}
	return err
}
