package node_test

import (
	"context"
	"testing"
	"time"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/node/nodetest"
	"lanyard/sync/status"
)

func TestAPauseEndsByItselfAlsoAfterARestart(t *testing.T) {
	h := newHome(t)
	open := func() (*node.Node, *nodetest.Engine) {
		t.Helper()
		e := nodetest.New()
		n, err := node.Open(node.Options{Home: h, Engine: e.Make})
		if err != nil {
			t.Fatal(err)
		}
		return n, e
	}
	pause := func(n *node.Node, until time.Time) {
		t.Helper()
		err := n.Store().Update(func(c config.Config) (config.Config, error) { return c.WithAllPaused(until), nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	n, e := open()
	err := n.Store().Update(func(c config.Config) (config.Config, error) {
		return c.WithFolder(config.Folder{ID: "docs", Path: t.TempDir(), Type: config.SendReceive})
	})
	if err != nil {
		t.Fatal(err)
	}
	pause(n, time.Now().Add(50*time.Millisecond))
	if s := e.Snapshot().Folders[0].State; s != status.Paused {
		t.Fatalf("the folder is %s", s)
	}
	// Its end comes while nothing runs, or just afterwards.
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n, e = open()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = n.Run(ctx) }() // gives the cause of ctx's end
	defer func() {
		cancel()
		<-ended
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	never := func() <-chan struct{} { return nil }
	resumed := func() bool { return e.Snapshot().Folders[0].State != status.Paused }
	await(t, "its end", never, resumed)
	// One that begins while it runs is waited for as well.
	pause(n, time.Now().Add(50*time.Millisecond))
	await(t, "the end of another one", never, resumed)
	if f := n.Store().Config().Folders[0]; f.Paused || !f.PausedUntil.IsZero() {
		t.Errorf("kept is %+v", f)
	}
}
