package login_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lanyard/app/login"
)

func TestAnEntryIsSetAndTakenBack(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	e := login.Entry{Name: "lanyard", Command: []string{"/opt/a b/lanyard", "serve"}}
	for _, want := range []bool{false, true, true, false, false} {
		if want {
			if err := e.Set(true); err != nil {
				t.Fatal(err)
			}
		} else if err := e.Set(false); err != nil {
			t.Fatal(err)
		}
		if got, err := e.IsSet(); err != nil || got != want {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, "autostart")); err != nil || len(left) > 0 {
		t.Errorf("there is left %v, %v", left, err)
	}
}

func TestAnEntryThatTheDesktopTurnedOffIsOff(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	e := login.Entry{Name: "lanyard", Command: []string{"/usr/bin/lanyard", "serve"}}
	if err := e.Set(true); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "autostart", "lanyard.desktop")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, "Hidden=true\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if on, err := e.IsSet(); err != nil || on {
		t.Errorf("it counts as on: %v", err)
	}
}

// The rules are those of the Desktop Entry Specification for Exec.
func TestACommandIsQuotedSoThatItRunsAsItIs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	e := login.Entry{Name: "lanyard", Command: []string{"/usr/bin/lanyard", "--home", "/home/a b/100%/$x`y\"z\\", "serve"}}
	if err := e.Set(true); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "autostart", "lanyard.desktop"))
	if err != nil {
		t.Fatal(err)
	}
	want := `Exec="/usr/bin/lanyard" "--home" "/home/a b/100%%/\\$x\\` + "`" + `y\\"z\\\\" "serve"` + "\n"
	if !strings.Contains(string(text), want) {
		t.Errorf("the entry is\n%swant %s", text, want)
	}
}

func TestTheEngineOfAnotherHomeHasAnEntryOfItsOwn(t *testing.T) {
	usual, err := login.Engine("", "0123")
	if err != nil {
		t.Fatal(err)
	}
	other, err := login.Engine("/srv/lanyard", "0123")
	if err != nil {
		t.Fatal(err)
	}
	if usual.Name != "lanyard" || len(usual.Command) != 2 || other.Name != "lanyard-0123" || strings.Join(other.Command[1:], " ") != "--home /srv/lanyard serve" {
		t.Errorf("got %+v and %+v", usual, other)
	}
}
