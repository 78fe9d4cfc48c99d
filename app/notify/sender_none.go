//go:build !tray || !(linux || windows || darwin)

package notify

import "lanyard/app/text"

// NewSender gives nil: this program was built without notifications.
func NewSender(*text.Catalogue, func(page string)) Sender { return nil }
