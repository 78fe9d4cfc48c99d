package launch

import (
	"math"

	"golang.org/x/sys/unix"
)

// keepToOurselves keeps programs that are started from now on from inheriting
// what is open: the web view opens pipes that would be, and one that lives long
// would hold the answers of the window open.
func keepToOurselves() {
	const firstOther = 3 // after the standard streams
	// Linux before 5.11 does not know it; then the pipes are inherited.
	_ = unix.CloseRange(firstOther, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
}
