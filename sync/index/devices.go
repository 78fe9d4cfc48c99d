package index

import (
	"errors"

	"lanyard/sync/fault"
)

// MaxRemotes is the number of other devices that one folder's index holds.
const MaxRemotes = 62

// ErrTooManyDevices is wrapped by the error about one device more than
// MaxRemotes.
var ErrTooManyDevices = errors.New("this folder is already shared with 62 devices, the most that it can be; remove one of them from it first")

func errTooManyDevices(op string) error {
	return fault.Wrap(fault.Peer, "", op, "", ErrTooManyDevices)
}
