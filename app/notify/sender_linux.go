//go:build tray

package notify

import (
	"slices"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"lanyard/app/text"
)

// The names of the Desktop Notifications Specification.
const (
	bus       = "org.freedesktop.Notifications"
	object    = dbus.ObjectPath("/org/freedesktop/Notifications")
	byDefault = "default" // the key of a click on the notification itself
)

// desktopSender speaks to the desktop's own service. Whether people are disturbed
// now, and how, they have told that one.
type desktopSender struct {
	words *text.Catalogue
	open  func(page string)

	mu    sync.Mutex
	conn  *dbus.Conn // nil until something is sent, and after an error
	pages map[uint32]string
}

// NewSender gives what shows notifications; a click on one calls open with its
// page, from another goroutine.
func NewSender(words *text.Catalogue, open func(page string)) Sender {
	return &desktopSender{words: words, open: open, pages: map[uint32]string{}}
}

// Send shows a notification.
func (s *desktopSender) Send(n Notification) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	o := conn.Object(bus, object)
	var can []string
	if err := o.Call(bus+".GetCapabilities", 0).Store(&can); err != nil {
		s.drop(conn)
		return err
	}
	body := n.Body
	if slices.Contains(can, "body-markup") {
		body = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(body)
	}
	actions := []string{}
	if slices.Contains(can, "actions") {
		actions = []string{byDefault, s.words.SayDesktop(text.NotifyOpen, nil)}
	}
	hints := map[string]dbus.Variant{"desktop-entry": dbus.MakeVariant("lanyard-desktop")}
	var id uint32
	s.mu.Lock() // so that no answer comes before its page is known
	defer s.mu.Unlock()
	err = o.Call(bus+".Notify", 0, "Lanyard", uint32(0), "lanyard", n.Title, body, actions, hints, int32(-1)).Store(&id)
	if err == nil {
		s.pages[id] = n.Page
	}
	return err
}

// connect gives the connection to the bus, and makes one where there is none. It
// starts no bus.
func (s *desktopSender) connect() (*dbus.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && s.conn.Connected() {
		return s.conn, nil
	}
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return nil, err
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err == nil {
		err = conn.AddMatchSignal(dbus.WithMatchInterface(bus), dbus.WithMatchObjectPath(object))
	}
	if err != nil {
		_ = conn.Close() // it is of no use
		return nil, err
	}
	s.conn = conn
	signals := make(chan *dbus.Signal, 16) // closed with the connection
	conn.Signal(signals)
	go s.listen(signals)
	return conn, nil
}

// listen follows clicks until the connection ends.
func (s *desktopSender) listen(signals <-chan *dbus.Signal) {
	for signal := range signals {
		if len(signal.Body) < 2 {
			continue
		}
		id, ok := signal.Body[0].(uint32)
		if !ok {
			continue
		}
		s.mu.Lock()
		page, ours := s.pages[id]
		if signal.Name == bus+".NotificationClosed" {
			delete(s.pages, id)
		}
		s.mu.Unlock()
		if ours && signal.Name == bus+".ActionInvoked" && signal.Body[1] == byDefault {
			s.open(page)
		}
	}
}

func (s *desktopSender) drop(conn *dbus.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == conn {
		s.conn = nil
	}
	_ = conn.Close() // it is of no use
}

// Close ends the connection to the bus.
func (s *desktopSender) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close() // nothing is left to send
	}
}
