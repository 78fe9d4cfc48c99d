package node

import (
	"context"
	"time"

	"lanyard/app/config"
)

// pauseLook is how often the clock on the wall is looked at while a pause is to
// end by itself: it may be set, and stands still for no sleep.
const pauseLook = time.Minute

// endPauses resumes folders whose pause is over, until ctx ends. What ended while
// no program ran is resumed at once.
func (n *Node) endPauses(ctx context.Context) {
	for {
		var look <-chan time.Time
		if next := n.store.Config().NextResume(); !next.IsZero() {
			left := time.Until(next)
			if left <= 0 {
				err := n.store.Update(func(c config.Config) (config.Config, error) {
					return c.WithEndedPauses(time.Now()), nil
				})
				if err == nil {
					continue
				}
				n.opts.Log.Error("a pause that is over was not ended", "error", err)
				left = pauseLook
			}
			look = time.After(min(left, pauseLook))
		}
		select {
		case <-ctx.Done():
			return
		case <-n.changed:
		case <-look:
		}
	}
}
