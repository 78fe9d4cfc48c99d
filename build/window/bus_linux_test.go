package window_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// bus is a session bus of a test's own, with what a desktop has on it.
type bus struct {
	address string
	life    *testing.T
}

func newBus(t *testing.T) *bus {
	t.Helper()
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // killed on purpose
	address, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return &bus{address: strings.TrimSpace(address), life: t}
}

// sessionBus is the bus that this test runs on, and all that it starts.
func sessionBus(t *testing.T) *bus {
	return &bus{address: os.Getenv("DBUS_SESSION_BUS_ADDRESS"), life: t}
}

func (b *bus) connect(t *testing.T) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(b.address)
	must(t, err)
	b.life.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	return conn
}

// env is the environment of a program on the bus.
func (b *bus) env() []string {
	return append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+b.address, "LC_ALL=C.UTF-8")
}

// watcher is where icons of the tray are registered, as a desktop's panel does.
type watcher struct {
	conn *dbus.Conn
	mu   sync.Mutex
	from []dbus.Sender
}

// RegisterStatusNotifierItem is called on the bus by programs with an icon.
func (w *watcher) RegisterStatusNotifierItem(from dbus.Sender, _ string) *dbus.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.from = append(w.from, from)
	return nil
}

// watch puts a tray on the bus.
func (b *bus) watch(t *testing.T) *watcher {
	t.Helper()
	w := &watcher{conn: b.connect(t)}
	must(t, w.conn.Export(w, "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher"))
	b.own(t, w.conn, "org.kde.StatusNotifierWatcher")
	return w
}

func (b *bus) own(t *testing.T, conn *dbus.Conn, name string) {
	t.Helper()
	reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue)
	must(t, err)
	if reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("%s has another owner: %v", name, reply)
	}
}

// item is the icon of one program.
type item struct {
	conn *dbus.Conn
	from string
}

// item waits for the one icon that is registered.
func (w *watcher) item(t *testing.T) item {
	t.Helper()
	i := item{conn: w.conn}
	eventually(t, "an icon is registered", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.from) != 1 {
			return fmt.Errorf("there are %d", len(w.from))
		}
		i.from = string(w.from[0])
		return nil
	})
	return i
}

// property gives what the icon says of itself.
func (i item) property(name string) (dbus.Variant, error) {
	var v dbus.Variant
	err := i.conn.Object(i.from, "/StatusNotifierItem").Call("org.freedesktop.DBus.Properties.Get", 0, "org.kde.StatusNotifierItem", name).Store(&v)
	return v, err
}

// picture gives the points of the icon.
func (i item) picture() (string, error) {
	v, err := i.property("IconPixmap")
	return v.String(), err
}

// tip gives what is said over the icon.
func (i item) tip() (string, error) {
	v, err := i.property("ToolTip")
	if err != nil {
		return "", err
	}
	var tip struct {
		Name  string
		Icons []struct {
			W, H int32
			Pix  []byte
		}
		Title   string
		Details string
	}
	err = dbus.Store([]any{v.Value()}, &tip)
	return tip.Title, err
}

// entry is a line of the menu that is seen.
type entry struct {
	id      int32
	label   string
	enabled bool
}

func (i item) menu() ([]entry, error) {
	var revision uint32
	var root struct {
		ID         int32
		Properties map[string]dbus.Variant
		Children   []dbus.Variant
	}
	call := i.conn.Object(i.from, "/StatusNotifierItem/menu").Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{})
	if err := call.Store(&revision, &root); err != nil {
		return nil, err
	}
	var entries []entry
	for _, child := range root.Children {
		parts, ok := child.Value().([]any)
		if !ok || len(parts) != 3 {
			return nil, fmt.Errorf("the menu holds %v", child)
		}
		p := maps.Clone(parts[1].(map[string]dbus.Variant))
		if v, ok := p["visible"]; ok && v.Value() == false || p["label"].Value() == nil {
			continue
		}
		entries = append(entries, entry{parts[0].(int32), p["label"].Value().(string), p["enabled"].Value() != false})
	}
	return entries, nil
}

// shows waits until the menu has a line.
func (i item) shows(t *testing.T, label string) entry {
	t.Helper()
	var found entry
	eventually(t, fmt.Sprintf("the menu has %q", label), func() error {
		entries, err := i.menu()
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.label == label {
				found = e
				return nil
			}
		}
		return fmt.Errorf("it has %+v", entries)
	})
	return found
}

// chooses does what a person does who chooses a line of the menu, until that is
// taken: the library leaves out clicks that come while it is busy.
func (i item) chooses(t *testing.T, label string, done func() error) {
	t.Helper()
	e := i.shows(t, label)
	if !e.enabled {
		t.Fatalf("%q cannot be chosen", label)
	}
	call := i.conn.Object(i.from, "/StatusNotifierItem/menu").Call("com.canonical.dbusmenu.Event", 0, e.id, "clicked", dbus.MakeVariant(""), uint32(0))
	must(t, call.Err)
	eventually(t, fmt.Sprintf("%q is done", label), done)
}

// notice is a notification that a person sees.
type notice struct {
	id          uint32
	title, body string
	actions     []string
}

// notices is where notifications are shown, as a desktop shows them.
type notices struct {
	conn *dbus.Conn
	mu   sync.Mutex
	seen []notice
}

// GetCapabilities is called on the bus.
func (n *notices) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body", "body-markup"}, nil
}

// Notify is called on the bus by programs that notify.
func (n *notices) Notify(_ string, _ uint32, _, title, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := uint32(len(n.seen) + 1)
	n.seen = append(n.seen, notice{id, title, body, actions})
	return id, nil
}

// notices has a person see notifications.
func (b *bus) notices(t *testing.T) *notices {
	t.Helper()
	n := &notices{conn: b.connect(t)}
	must(t, n.conn.Export(n, "/org/freedesktop/Notifications", "org.freedesktop.Notifications"))
	b.own(t, n.conn, "org.freedesktop.Notifications")
	return n
}

func (n *notices) all() []notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]notice(nil), n.seen...)
}

// sees waits until a person has seen a number of notifications, and gives the
// last one.
func (n *notices) sees(t *testing.T, count int) notice {
	t.Helper()
	var last notice
	eventually(t, fmt.Sprintf("%d notifications are seen", count), func() error {
		all := n.all()
		if len(all) != count {
			return fmt.Errorf("there are %+v", all)
		}
		last = all[count-1]
		return nil
	})
	return last
}

// clicks does what a person does who clicks on a notification.
func (n *notices) clicks(t *testing.T, seen notice) {
	t.Helper()
	must(t, n.conn.Emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications.ActionInvoked", seen.id, "default"))
}
