//go:build tray

package notify

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"lanyard/app/text"
)

// shownWithin bounds how long the system takes for a notification.
const shownWithin = 10 * time.Second

// scriptSender has the system's own scripts show notifications: the service for
// programs takes those alone that lie in a signed bundle. They come under the name
// of the script's program, and a click leads nowhere. Whether people are disturbed
// now, and how, they have told the system.
type scriptSender struct{}

// NewSender gives what shows notifications.
func NewSender(*text.Catalogue, func(page string)) Sender { return scriptSender{} }

// Send shows a notification.
func (scriptSender) Send(n Notification) error {
	ctx, cancel := context.WithTimeout(context.Background(), shownWithin)
	defer cancel()
	if said, err := exec.CommandContext(ctx, "/usr/bin/osascript", scriptArgs(n)...).CombinedOutput(); err != nil {
		return fmt.Errorf("osascript: %w: %s", err, said)
	}
	return nil
}

// Close has nothing to end.
func (scriptSender) Close() {}
