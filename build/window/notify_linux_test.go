package window_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestNotifications has a device offer folders to one whose person has no window
// open, and follows what the desktop shows.
func TestNotifications(t *testing.T) {
	b := newBus(t)
	shown := b.notices(t)
	anna, ben := newDevice(t, "Anna's laptop"), newDevice(t, "Ben's laptop")
	serve(t, ben)
	e := anna.runOn(t, b)
	here, err := anna.state()
	must(t, err)
	ben.run(t, "device", "add", here.ID, "--name", "Anna's laptop")
	for _, id := range []string{"music", "photos"} {
		dir := filepath.Join(ben.dir, id)
		must(t, os.MkdirAll(dir, 0o755))
		ben.run(t, "folder", "add", dir, "--id", id, "--share", "Anna's laptop")
	}
	there, err := ben.state()
	must(t, err)
	anna.run(t, "device", "add", there.ID, "--name", "Ben's laptop", "--address", reachable(there))

	// Both are offered at once, and are one notification.
	told := shown.sees(t, 1)
	if told.title != "A question for you" || told.body != "2 questions wait for an answer." {
		t.Errorf("it says %+v", told)
	}
	shown.clicks(t, told)
	eventually(t, "the window is opened at its page", func() error {
		opened, err := os.ReadFile(e.opened)
		if want := "--home " + anna.home.Dir() + " --page #/needs\n"; err == nil && string(opened) != want {
			err = fmt.Errorf("it was started with %q", opened)
		}
		return err
	})

	// After a restart nothing of it is told again, and what is new is; names are
	// text also where the desktop reads markup.
	must(t, e.cmd.Process.Signal(syscall.SIGTERM))
	e.await(t)
	e = anna.runOn(t, b)
	eventually(t, "the two are connected again", func() error {
		if s, err := anna.state(); err != nil || len(s.Devices) != 1 || !s.Devices[0].Connected {
			return fmt.Errorf("it says %+v: %v", s.Devices, err)
		}
		return nil
	})
	offersFilms(t, ben)
	told = shown.sees(t, 2)
	if says := regexp.MustCompile(`^Ben's laptop offers Films, 21 kB\. It would go to /.*/Films, where [\d.]+ .B are free\.$`); !says.MatchString(told.body) {
		t.Errorf("it says %+v", told)
	}
	shown.clicks(t, told)
	eventually(t, "the window is opened at the offer", func() error {
		opened, err := os.ReadFile(e.opened)
		if err == nil && !strings.HasSuffix(string(opened), " --page #/offer/films/"+there.ID+"\n") {
			err = fmt.Errorf("it was started with %q", opened)
		}
		return err
	})
	dir := filepath.Join(anna.dir, "<b>&amp;<i>")
	must(t, os.MkdirAll(dir, 0o755))
	anna.run(t, "folder", "add", dir, "--id", "own")
	must(t, os.Rename(dir, dir+".away"))
	_, _ = anna.try("scan", "own") // says so as well
	told = shown.sees(t, 3)
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(dir)
	if told.title != "Lanyard needs you" || told.body != "The folder "+text+" is not there" {
		t.Errorf("it says %+v", told)
	}
}

// offersFilms has a device offer a folder with three files to its only other one.
func offersFilms(t *testing.T, d *device) {
	t.Helper()
	dir := filepath.Join(d.dir, "films")
	must(t, os.MkdirAll(dir, 0o755))
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.WriteFile(filepath.Join(dir, name), make([]byte, 7000), 0o644))
	}
	d.run(t, "folder", "add", dir, "--id", "films", "--label", "Films", "--share", "Anna's laptop")
}

// reachable gives the address at which a device that runs here answers.
func reachable(s state) string {
	return strings.Replace(s.Listen[0], "0.0.0.0", "127.0.0.1", 1)
}
