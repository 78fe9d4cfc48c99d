// Command demo shows Lanyard at work: two real devices on this machine, as two
// processes with homes of their own, keep a folder the same. Everything lies in
// a temporary directory, talks on loopback only, and is removed at the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	bin := flag.String("lanyard", "build/bin/lanyard", "the program to show")
	source := flag.String("source", ".", "a real folder, of which a copy is synced")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *bin, *source); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run tells the whole story and cleans up, whatever happened.
func run(ctx context.Context, bin, source string) (err error) {
	began := time.Now()
	root, err := os.MkdirTemp("", "lanyard-demo-")
	if err != nil {
		return err
	}
	s := &story{source: source}
	defer func() {
		s.end()
		if failed := os.RemoveAll(root); err == nil {
			err = failed
		}
	}()
	if err := s.begin(ctx, bin, root); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{
		s.firstCopy, s.saveThere, s.saveBack, s.conflict, s.deletion, s.lastLook,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("\nThat took %s in all. Everything the demo made is removed again.\n", short(time.Since(began)))
	return nil
}

// short rounds a duration to what a person reads.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
