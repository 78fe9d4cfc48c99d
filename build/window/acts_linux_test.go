package window_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// dialog waits until a dialog of the system's own, over the window, takes keys.
func (w *window) dialog(t *testing.T, s *screen) {
	t.Helper()
	eventually(t, "the system asks", func() error {
		others, err := w.others(s)
		if err != nil || len(others) == 0 {
			return fmt.Errorf("there is no dialog: %w", err)
		}
		if _, err := s.tool("xdotool", "windowactivate", "--sync", others[0]); err != nil {
			return err
		}
		if active, err := s.tool("xdotool", "getactivewindow"); err != nil || active != others[0] {
			return fmt.Errorf("the dialog is behind %s: %w", active, err)
		}
		return nil
	})
	s.settles(t)
}

// others gives the windows of the program beside its main one.
func (w *window) others(s *screen) ([]string, error) {
	out, err := s.tool("xdotool", "search", "--onlyvisible", "--pid", strconv.Itoa(w.cmd.Process.Pid))
	return slices.DeleteFunc(strings.Fields(out), func(id string) bool { return id == w.id }), err
}

// enters types a path into the system's dialog for files, and takes it.
func (s *screen) enters(t *testing.T, path string) {
	t.Helper()
	s.types(t, "/") // opens a field for the path
	s.settles(t)
	s.types(t, strings.TrimPrefix(path, "/"))
	s.settles(t)
	s.keys(t, "Return")
}

// chooses takes a folder in the system's dialog, and then leaves that without
// taking one.
func chooses(t *testing.T, s *screen, w *window) {
	dir := filepath.Join(filepath.Dir(w.of.dir), "Holiday 2026")
	must(t, os.MkdirAll(dir, 0o755))
	w.goes(t, "#/share")
	for _, way := range []struct {
		name string
		do   func()
	}{
		{"it is taken", func() { s.enters(t, dir) }},
		{"it stays", func() { s.keys(t, "Escape") }},
	} {
		w.click(t, s, "Choose…")
		w.dialog(t, s)
		way.do()
		eventually(t, way.name, func() error {
			var form struct {
				Path string
				Busy bool
			}
			if err := w.ask(`{ path: document.querySelector('#path').value, busy: document.querySelector('main [aria-busy=true]') !== null }`, &form); err != nil {
				return err
			}
			if form.Busy || form.Path != dir {
				return fmt.Errorf("the form has %+v", form)
			}
			return nil
		})
	}
	eventually(t, "no dialog is left", func() error {
		open, err := w.others(s)
		if err == nil && len(open) > 0 {
			err = fmt.Errorf("there are %v", open)
		}
		return err
	})
}

// source is another program, from whose corner of the display a file is dragged.
type source struct {
	mu   sync.Mutex
	said bytes.Buffer
}

// Write takes what the program says.
func (d *source) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.said.Write(p)
}

// says reports as an error that the program has not said something yet.
func (d *source) says(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(strings.Fields(d.said.String()), what) {
		return fmt.Errorf("it said %q", d.said.String())
	}
	return nil
}

// dragged starts the program and drags what it has onto the window.
func dragged(t *testing.T, s *screen, w *window, path string) {
	t.Helper()
	at := url.URL{Scheme: "file", Path: path}
	from := &source{}
	cmd := exec.Command(program("drag"), at.String())
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	cmd.Stdout = from
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }() // killed on purpose
	mouse := func(args ...string) {
		t.Helper()
		_, err := s.tool(append([]string{"xdotool"}, args...)...)
		must(t, err)
	}
	eventually(t, "the other program is seen", func() error { return from.says("ready") })
	mouse("mousemove", "20", "20", "mousedown", "1")
	to := 0
	eventually(t, "it is dragged", func() error {
		to = 40 - to // more than the hand trembles
		mouse("mousemove", strconv.Itoa(10+to), "20")
		return from.says("begins")
	})
	eventually(t, "the window would take it", func() error {
		to = 40 - to
		mouse("mousemove", "--window", w.id, strconv.Itoa(400+to), "300")
		return errors.Join(from.says("given"), from.says("accepted"))
	})
	mouse("mouseup", "1")
	eventually(t, "the drag ends", func() error { return from.says("ends") })
}

// drops drags a folder from another program onto the window, and shares it. It
// gives the ID of the folder and where it lies.
func drops(t *testing.T, s *screen, w *window) (id, dir string) {
	dir = filepath.Join(filepath.Dir(w.of.dir), "Böhm & Co: 100% #1")
	must(t, os.MkdirAll(dir, 0o755))
	w.draws(t, "#/transfers")
	dragged(t, s, w, dir)
	eventually(t, "the form has it", func() error {
		var path string
		err := w.ask(`location.hash === '#/share' ? document.querySelector('#path')?.value ?? '' : location.hash`, &path)
		if err == nil && path != dir {
			err = fmt.Errorf("it has %q", path)
		}
		return err
	})
	w.click(t, s, "Share a folder")
	eventually(t, "it is shared", func() error {
		st, err := w.of.state()
		for _, f := range st.Folders {
			if f.Label == filepath.Base(dir) {
				id = f.ID
				return nil
			}
		}
		return fmt.Errorf("the folders are %v: %w", st.Folders, err)
	})
	return id, dir
}

// manager is the file manager of a desktop.
type manager struct {
	mu    sync.Mutex
	asked []string
}

func (m *manager) note(method string, uris []string) *dbus.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, method+" "+strings.Join(uris, " "))
	return nil
}

// ShowFolders is called on the bus.
func (m *manager) ShowFolders(uris []string, _ string) *dbus.Error { return m.note("folder", uris) }

// ShowItems is called on the bus.
func (m *manager) ShowItems(uris []string, _ string) *dbus.Error { return m.note("item", uris) }

// last gives what it was asked for last, and the number of times.
func (m *manager) last() (string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.asked) == 0 {
		return "", 0
	}
	return m.asked[len(m.asked)-1], len(m.asked)
}

// manages has folder and file shown by the desktop's file manager, and the
// folder once more where the desktop has none.
func manages(t *testing.T, s *screen, w *window) {
	const button = "Show in file manager"
	st, err := w.of.state()
	must(t, err)
	photos := st.Folders[slices.IndexFunc(st.Folders, func(f folder) bool { return f.Label == "Photos" })].ID
	m, conn := &manager{}, sessionBus(t).connect(t)
	must(t, conn.Export(m, "/org/freedesktop/FileManager1", "org.freedesktop.FileManager1"))
	sessionBus(t).own(t, conn, "org.freedesktop.FileManager1")
	for i, shown := range []struct{ at, asked string }{
		{"#/folder/" + photos, "folder file://" + w.of.dir},
		{"#/why/" + photos + "?path=Lisbon/IMG_2001.jpg", "item file://" + w.of.dir + "/Lisbon/IMG_2001.jpg"},
	} {
		w.draws(t, shown.at)
		w.click(t, s, button)
		eventually(t, "the file manager is asked", func() error {
			if asked, n := m.last(); asked != shown.asked || n != i+1 {
				return fmt.Errorf("%d times, the last for %q, want %q", n, asked, shown.asked)
			}
			return nil
		})
	}
	_, err = conn.ReleaseName("org.freedesktop.FileManager1")
	must(t, err)
	w.draws(t, "#/folder/"+photos)
	w.click(t, s, button)
	eventually(t, "what opens directories is asked", func() error {
		opened, err := os.ReadFile(w.of.openedFile())
		if want := w.of.dir + "\n"; err == nil && string(opened) != want {
			err = fmt.Errorf("it is asked for %q, want %q", opened, want)
		}
		return err
	})
}

// inFront reports as an error that the window says of itself that the person has
// it before them, or that it does not.
func (w *window) inFront(want bool) error {
	status, _, err := w.call(http.MethodGet, "/front", "")
	if is := status == http.StatusNoContent; err == nil && is != want {
		err = fmt.Errorf("in front: %v, and the answer is %d", is, status)
	}
	return err
}

// silent looks at what was told while the window was in front, which is nothing,
// and at what is told of a folder that goes while it is minimised.
func silent(t *testing.T, s *screen, w *window, shown *notices, folder, dir string) {
	eventually(t, "a question and two versions were thought about", func() error {
		var kept struct{ Told map[string]int64 }
		data, err := os.ReadFile(w.of.home.NotifiedFile())
		if err == nil {
			err = json.Unmarshal(data, &kept)
		}
		for _, kind := range []string{"request folder", "two"} {
			found := false
			for key := range kept.Told {
				found = found || strings.HasPrefix(key, kind+" ")
			}
			if err == nil && !found {
				err = fmt.Errorf("there is none of %q in %v", kind, kept.Told)
			}
		}
		return err
	})
	if told := shown.all(); len(told) > 0 {
		t.Errorf("while the window was in front it was told %+v", told)
	}
	_, err := s.tool("xdotool", "windowminimize", w.id)
	must(t, err)
	eventually(t, "the window is not in front", func() error { return w.inFront(false) })
	must(t, os.Rename(dir, dir+".away"))
	_, _ = w.of.try("scan", folder) // says so as well
	told := shown.sees(t, 1)
	if told.title != "Lanyard needs you" || !strings.Contains(told.body, filepath.Base(filepath.Dir(dir))) {
		t.Errorf("it says %+v", told)
	}
	shown.clicks(t, told)
	eventually(t, "the window is in front", func() error { return w.inFront(true) })
	must(t, os.Rename(dir+".away", dir))
	w.of.run(t, "folder", "remove", folder)
}
