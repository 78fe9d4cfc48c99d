package desktop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"lanyard/app/cli"
	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/app/web"
)

// Options is what the program of the window is made of.
type Options struct {
	Version string
	Pages   fs.FS // nil where none were built
	Icon    []byte
	Began   time.Time // when the process began
}

// Main runs the program with the arguments of this process and gives its exit
// code: 0 when the window was closed or shown by another process, 1 with one
// sentence on standard error where it cannot be, 2 on wrong usage. Arguments
// that are a command of the command line are run as one.
func Main(o Options) int { return run(o, os.Args[1:], os.Stdout, os.Stderr) }

func run(o Options, args []string, out, errs io.Writer) int {
	l, err := parse(args)
	if err != nil {
		fmt.Fprintf(errs, "lanyard-desktop: %v\n%s", err, usage)
		return 2
	}
	switch {
	case l.help:
		fmt.Fprint(out, usage)
		return 0
	case l.command:
		return cli.Main(cli.Options{Version: o.Version, Pages: o.Pages})
	}
	home, err := config.NewHome(l.home)
	if err == nil {
		err = open(home, o, l, errs)
	}
	if err != nil {
		fmt.Fprintf(errs, "lanyard-desktop: %v\n", service.Describe(err))
		return 1
	}
	return 0
}

// open shows what was asked for in the window of a home: here, or in the
// process that has it already.
func open(home config.Home, o Options, l launched, errs io.Writer) error {
	e := newEngine(home)
	if l.background {
		return e.ensure(context.Background())
	}
	lock, err := home.LockWindow()
	if errors.Is(err, config.ErrLocked) {
		return handOver(context.Background(), home, l.opened())
	}
	if err != nil {
		return err
	}
	return errors.Join(show(home, e, lock, o, l, errs), lock.Release())
}

// show opens the window of a home whose lock is held, and returns once it is
// closed.
func show(home config.Home, e *engine, lock *config.WindowLock, o Options, l launched, errs io.Writer) error {
	if err := noDisplay(); err != nil {
		return err
	}
	listener, address, err := web.Listen(web.Place{Socket: home.WindowSocketFile(), Digest: home.Digest() + "-window"})
	if err != nil {
		return err
	}
	if err := lock.Announce(address); err != nil {
		return errors.Join(err, listener.Close())
	}
	log := slog.New(slog.NewTextHandler(errs, nil))
	w := newWindow(home, e, log, o.Began)
	w.open(l.opened())
	return w.run(listener, o)
}
