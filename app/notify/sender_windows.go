//go:build tray

package notify

import (
	"sync"

	"git.sr.ht/~jackmordaunt/go-toast/v2/wintoast"

	"lanyard/app/text"
)

// Under these the system knows who notifies. The removal of the program takes
// them back.
const (
	appID   = "Lanyard"
	classID = "{6C1F0E2B-6E0B-4B53-9A3B-5D4B3A4C7E21}"
)

// toastSender speaks to the system's own service. Whether people are disturbed
// now, and how, they have told that one.
type toastSender struct {
	mu    sync.Mutex
	ready bool
}

// NewSender gives what shows notifications; a click on one calls open with its
// page, from another goroutine.
func NewSender(_ *text.Catalogue, open func(page string)) Sender {
	wintoast.SetActivationCallback(func(_, page string, _ []wintoast.UserData) { open(page) })
	return &toastSender{}
}

// Send shows a notification. The library's own way to word one puts names into
// XML, and that into a script, as they are.
func (s *toastSender) Send(n Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready {
		if err := wintoast.SetAppData(wintoast.AppData{AppID: appID, GUID: classID}); err != nil {
			return err
		}
		s.ready = true
	}
	return wintoast.Push(appID, toast(n))
}

// Close has nothing to end.
func (s *toastSender) Close() {}
