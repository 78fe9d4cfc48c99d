package window_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lanyard/app/config"
	"lanyard/app/web"
)

// patience bounds every wait for something that takes a moment.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv("LANYARD_WINDOW") == "" {
		fmt.Println("not run: the tests of the window need LANYARD_WINDOW (make test sets it)")
		return
	}
	m.Run()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until cond gives no error, and fails the test with its last
// one when the time is over.
func eventually(t *testing.T, what string, cond func() error) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := cond()
		if err == nil {
			t.Logf("%s: %v", what, time.Since(start).Round(time.Millisecond))
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		<-tick.C
	}
}

// program gives one of the programs under test.
func program(name string) string { return filepath.Join(os.Getenv("LANYARD_WINDOW"), name) }

// device is one device, driven past its window by the command line.
type device struct {
	home config.Home
	dir  string
	life *testing.T // whose end is that of all that runs
}

func newDevice(t *testing.T, name string) *device {
	t.Helper()
	root := t.TempDir()
	home, err := config.NewHome(filepath.Join(root, "home"))
	must(t, err)
	d := &device{home: home, dir: filepath.Join(root, "Pictures"), life: t}
	must(t, os.MkdirAll(d.dir, 0o755))
	// The device is called as its person would have called it.
	must(t, os.MkdirAll(home.Dir(), 0o700))
	settings, err := json.Marshal(map[string]any{"version": config.Version, "name": name})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(home.Dir(), "config.json"), settings, 0o600))
	// What opens directories on this desktop notes them.
	must(t, os.MkdirAll(d.programs(), 0o755))
	must(t, os.WriteFile(filepath.Join(d.programs(), "xdg-open"), []byte("#!/bin/sh\necho \"$*\" >>'"+d.openedFile()+"'\n"), 0o755))
	return d
}

// programs is a directory with the desktop's own programs, for the window.
func (d *device) programs() string { return filepath.Join(filepath.Dir(d.home.Dir()), "bin") }

// openedFile is a file with a line for each directory that was opened.
func (d *device) openedFile() string { return filepath.Join(d.programs(), "opened") }

func (d *device) try(args ...string) (string, error) {
	cmd := exec.Command(program("lanyard"), append([]string{"--home", d.home.Dir()}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("lanyard %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

func (d *device) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := d.try(args...)
	must(t, err)
	return out
}

// folder is a folder of a device, as far as the tests look at it.
type folder struct {
	ID        string `json:"id"`
	Label     string `json:"label"`
	InSync    bool   `json:"in_sync"`
	Conflicts int    `json:"conflicts"`
}

// state is the part of "lanyard status --json" that the tests look at.
type state struct {
	ID      string   `json:"device_id"`
	Name    string   `json:"name"`
	Listen  []string `json:"listen"`
	Folders []folder `json:"folders"`
	Devices []struct {
		ID        string `json:"id"`
		Connected bool   `json:"connected"`
	} `json:"devices"`
	Offers []struct {
		Folder string `json:"folder"`
	} `json:"offers"`
	Pairing struct {
		Runs []struct {
			ID     string `json:"id"`
			State  string `json:"state"`
			Digits string `json:"digits"`
		} `json:"runs"`
	} `json:"pairing"`
}

func (d *device) state() (state, error) {
	var s state
	out, err := d.try("status", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	return s, err
}

// enginePID gives the process of the device's engine.
func (d *device) enginePID(t *testing.T) int {
	t.Helper()
	holder, ok := d.home.Holder()
	if !ok {
		t.Fatal("no engine holds the home")
	}
	return holder.PID
}

// window is a process of lanyard-desktop and its window on the display.
type window struct {
	of    *device
	cmd   *exec.Cmd
	began time.Time
	ended chan struct{}
	err   error // of its end, once ended is closed
	said  *said
	id    string // of the X window
}

// said is what a process wrote to its standard error.
type said struct {
	lines chan string
	all   bytes.Buffer
}

// launch starts the program without waiting for its window.
func (d *device) launch(t *testing.T, display string, args ...string) *window {
	t.Helper()
	w := &window{of: d, ended: make(chan struct{}), said: &said{lines: make(chan string, 100)}}
	w.cmd = exec.Command(program("lanyard-desktop"), append([]string{"--home", d.home.Dir()}, args...)...)
	// The web view keeps things of its own: beside the home, where the test ends.
	own := filepath.Dir(d.home.Dir())
	w.cmd.Env = append(os.Environ(), "DISPLAY="+display, "WAYLAND_DISPLAY=", "LC_ALL=C.UTF-8", "PATH="+d.programs()+":"+os.Getenv("PATH"),
		"XDG_DATA_HOME="+filepath.Join(own, "data"), "XDG_CACHE_HOME="+filepath.Join(own, "cache"), "XDG_CONFIG_HOME="+filepath.Join(own, "config"))
	out, err := w.cmd.StderrPipe()
	must(t, err)
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w.began = time.Now()
	must(t, w.cmd.Start())
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			w.said.all.WriteString(lines.Text() + "\n")
			select {
			case w.said.lines <- lines.Text():
			default:
			}
		}
		w.err = w.cmd.Wait()
		close(w.ended)
	}()
	d.life.Cleanup(func() {
		_ = syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		<-w.ended
		if d.life.Failed() {
			d.life.Logf("the window said:\n%s", w.said.all.String())
		}
	})
	return w
}

var painted = regexp.MustCompile(`first paint.* ms=([0-9]+)`)

// open starts the program and waits for what it shows first. It gives the time
// from its start to that.
func (d *device) open(t *testing.T, s *screen, args ...string) (*window, time.Duration) {
	t.Helper()
	w := d.launch(t, s.display, args...)
	var paint time.Duration
	late := time.After(patience)
	for paint == 0 {
		select {
		case line := <-w.said.lines:
			if painted.MatchString(line) {
				paint = time.Since(w.began)
			}
		case <-w.ended:
			t.Fatalf("the window ended: %v\n%s", w.err, w.said.all.String())
		case <-late:
			t.Fatalf("nothing was painted within %v", patience)
		}
	}
	eventually(t, "the window is on the display", func() error {
		id, err := s.tool("xdotool", "search", "--onlyvisible", "--pid", strconv.Itoa(w.cmd.Process.Pid))
		w.id, _, _ = strings.Cut(id, "\n")
		return err
	})
	return w, paint
}

// await waits for the end of the process and gives its exit code.
func (w *window) await(t *testing.T) int {
	t.Helper()
	select {
	case <-w.ended:
		return w.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatal("the window does not end")
		return 0
	}
}

// call asks something at the window's own socket, and gives the status of the
// answer and what it holds.
func (w *window) call(method, path, body string) (status int, text []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	transport := web.Transport(func() (string, error) {
		holder, ok := w.of.home.WindowHolder()
		if !ok || holder.Control == "" {
			return "", errors.New("there is no window")
		}
		return holder.Control, nil
	})
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, web.AnyHost+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// ask gives the value of an expression in the page.
func (w *window) ask(expression string, value any) error {
	status, text, err := w.call(http.MethodPost, "/probe", expression)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it answers %d: %s", status, text)
	}
	var fault struct{ Error string }
	if json.Unmarshal(text, &fault) == nil && fault.Error != "" {
		return errors.New(fault.Error)
	}
	if err == nil {
		err = json.Unmarshal(text, value)
	}
	return err
}

// says waits until a text stands in the page.
func (w *window) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the page says "+strconv.Quote(text), func() error {
		var all string
		if err := w.ask("document.body.innerText", &all); err != nil {
			return err
		}
		if !strings.Contains(all, text) {
			return fmt.Errorf("it says %q", all)
		}
		return nil
	})
}

// goes opens a place of the pages.
func (w *window) goes(t *testing.T, place string) {
	t.Helper()
	var at string
	must(t, w.ask(fmt.Sprintf("location.hash = %q", place), &at))
}

// draws opens a place of the pages and waits until it is drawn: until a heading
// of its own stands there, and was painted.
func (w *window) draws(t *testing.T, place string) {
	t.Helper()
	var drawn bool
	var now string
	must(t, w.ask("location.hash", &now))
	before := ""
	for _, other := range []string{"#/more", "#/", "#/transfers"} {
		if before == "" && other != now && other != place {
			before = other
		}
	}
	for _, at := range []string{before, place} {
		must(t, w.ask(fmt.Sprintf(`(() => { document.querySelector('h1')?.setAttribute('data-before', ''); location.hash = %q; return true })()`, at), &drawn))
		eventually(t, at+" is drawn", func() error {
			err := w.ask(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('h1:not([data-before])') !== null))))`, &drawn)
			if err == nil && !drawn {
				err = errors.New("the page before is there still")
			}
			return err
		})
	}
}

// find is the script that finds what has a name: a button, link, field or box
// as a person sees it.
const find = `(name => {
  const named = e => (e.getAttribute('aria-label') ?? '') + ' ' + [...(e.labels ?? [])].map(l => l.textContent).join(' ') + ' ' + (e.tagName === 'INPUT' ? '' : e.textContent)
  const shown = e => { const r = e.getBoundingClientRect(); return r.width > 2 && r.height > 2 }
  const plain = e => named(e).replace(/\s+/g, ' ').trim()
  const within = root => { const all = [...(root?.querySelectorAll('button, a, input, textarea') ?? [])].filter(shown); return all.find(e => plain(e) === name) ?? all.find(e => plain(e).includes(name)) }
  const e = within(document.querySelector('main')) ?? within(document)
  if (e?.disabled) return null
  if (!e) return null
  e.scrollIntoView({ block: 'center' })
  globalThis.found = e
  const r = e.getBoundingClientRect()
  return { x: Math.round(r.x + r.width / 2), y: Math.round(r.y + r.height / 2) }
})`

// click presses with the mouse what has a name. What is drawn meanwhile may push
// it away: then nothing was pressed, and it is tried once more.
func (w *window) click(t *testing.T, s *screen, name string) {
	t.Helper()
	for try := 1; ; try++ {
		var at *struct{ X, Y int }
		eventually(t, "there is "+strconv.Quote(name), func() error {
			before := at
			at = nil
			if err := w.ask(fmt.Sprintf("%s(%q)", find, name), &at); err != nil {
				return err
			}
			if at == nil || before == nil || *at != *before {
				return fmt.Errorf("it is at %v, and was at %v", at, before)
			}
			return nil
		})
		var listens bool
		must(t, w.ask(listen, &listens))
		_, err := s.tool("xdotool", "windowactivate", "--sync", w.id, "mousemove", "--window", w.id, strconv.Itoa(at.X), strconv.Itoa(at.Y), "click", "1")
		must(t, err)
		switch took, err := w.took(); {
		case err != nil, took: // an error: it ended the window
			return
		case try == 5:
			t.Fatalf("%q is not pressed", name)
		}
	}
}

// listen is the script that notes whether what was found is pressed next.
const listen = `(() => {
  globalThis.pressed = false
  addEventListener('click', e => { globalThis.pressed = globalThis.found.contains(e.target) }, { capture: true, once: true })
  return true
})()`

// took reports whether what was found was pressed, within a second.
func (w *window) took() (pressed bool, err error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 20 {
		if err := w.ask("globalThis.pressed", &pressed); err != nil || pressed {
			return pressed, err
		}
		<-tick.C
	}
	return false, nil
}

// write presses what has a name and types into it.
func (w *window) write(t *testing.T, s *screen, name, text string) {
	t.Helper()
	w.click(t, s, name)
	is := func(want string) func() error {
		return func() error {
			var got string
			if err := w.ask(fmt.Sprintf("(document.activeElement.labels?.[0]?.textContent ?? document.activeElement.ariaLabel) === %q ? document.activeElement.value : '-'", name), &got); err != nil || got != want {
				return fmt.Errorf("it holds %q: %w", got, err)
			}
			return nil
		}
	}
	eventually(t, "it takes keys", is(""))
	s.types(t, text)
	eventually(t, "it holds what was typed", is(text))
}
