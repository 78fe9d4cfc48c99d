package watch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/watch"
	"lanyard/sync/watch/watchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheSystemsWatcherKeepsThePromises(t *testing.T) {
	watchtest.Run(t, func(root string) watch.Watcher {
		return watch.New(root, watch.Options{Poll: 20 * time.Millisecond})
	})
}

func TestPollingKeepsThePromises(t *testing.T) {
	watchtest.Run(t, func(string) watch.Watcher { return watch.NewPolling(time.Millisecond) })
}

func TestPollingReportsEverythingEvery30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+time.Second)
		defer cancel()
		reports := 0
		err := watch.NewPolling(0).Run(ctx, func(c watch.Change) {
			if c.All {
				reports++
			}
		})
		if reports != 10 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d reports in five minutes, then %v; want 10, then the context's end", reports, err)
		}
	})
}
