package service

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"lanyard/sync/status"
)

// feedPause is the least time between two states of the feed: ten a second.
// While bytes come or go, feedMoving is the longest: nobody calls each of them a
// change, and speeds are told until they are nought.
const (
	feedPause  = 100 * time.Millisecond
	feedMoving = 500 * time.Millisecond
)

// feed holds the newest state and wakes those who follow it. It keeps no
// queue: a slow follower skips to the newest state.
type feed struct {
	mu     sync.Mutex
	seq    uint64 // 0 while there is no state yet
	latest status.Snapshot
	newer  chan struct{} // closed by put, and then replaced
}

func newFeed() *feed { return &feed{newer: make(chan struct{})} }

// run puts a state in at the start, after each change, with a pause in between
// that merges changes, and now and then while bytes move, until ctx ends.
func (f *feed) run(ctx context.Context, engine, pairing func() <-chan struct{}, snapshot func() status.Snapshot) error {
	for {
		// Asked for before the snapshot, so that no change falls between.
		next, other := engine(), pairing()
		state := snapshot()
		f.put(state)
		var later <-chan time.Time
		if moving(state) {
			later = time.After(feedMoving)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(feedPause):
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-next:
		case <-other:
		case <-later:
		}
	}
}

// moving reports whether bytes come or go.
func moving(s status.Snapshot) bool {
	return slices.ContainsFunc(s.Devices, func(d status.Device) bool { return d.InRate >= 1 || d.OutRate >= 1 || len(d.Sending) > 0 })
}

func (f *feed) put(s status.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	f.latest = s
	close(f.newer)
	f.newer = make(chan struct{})
}

func (f *feed) get() (SnapshotEvent, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return SnapshotEvent{Seq: strconv.FormatUint(f.seq, 10), Status: f.latest}, f.newer
}

// follow calls each with the newest state and then with newer ones.
func (f *feed) follow(ctx context.Context, each func(SnapshotEvent) error) error {
	for {
		event, newer := f.get()
		if event.Seq != "0" {
			if err := each(event); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-newer:
		}
	}
}
