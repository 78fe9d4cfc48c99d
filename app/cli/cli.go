// Package cli is the command line. Every command exits 0 on success, 1 on
// failure with one sentence on standard error, and 2 on wrong usage; with
// --json a command prints JSON and nothing else. Commands that change the
// configuration ask the running engine, or take the home's lock and write it
// themselves where none runs; the others need the engine.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/service"
	"lanyard/app/text"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Options is what a command line runs with. Zero fields mean the process's own
// streams and the product's own engine.
type Options struct {
	Version string
	Pages   fs.FS // for browsers; nil where none were built
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	// Terminal: a person is at In, even where that is not a terminal's file.
	Terminal bool
	Engine   node.MakeEngine
}

// Main runs the command of this process until it ends or the process is told
// to, and gives the exit code.
func Main(o Options) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	return Run(ctx, o, os.Args[1:])
}

// Run runs one command until it ends, or ctx does, and gives the exit code.
func Run(ctx context.Context, o Options, args []string) int {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Err == nil {
		o.Err = os.Stderr
	}
	a := &app{Options: o}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(o.Out)
	root.SetErr(o.Err)
	return a.exit(root.ExecuteContext(ctx))
}

// exit says what went wrong, in one sentence, and gives the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return exitOK
	}
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(a.Err, "lanyard: %s: see \"%s --help\"\n", oneLine(usage.Error()), usage.command)
		return exitUsage
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(a.Err, "lanyard: %s\n", oneLine(service.Describe(err).Error()))
	return exitFailure
}

// oneLine keeps what came from outside from moving the terminal's cursor, and
// from turning the text around it.
func oneLine(s string) string { return text.Clean(s) }

// app is one run of the command line.
type app struct {
	Options
	homeDir string
	quiet   bool // nothing but JSON is printed
}

// home gives the home that --home names.
func (a *app) home() (config.Home, error) { return config.NewHome(a.homeDir) }

func (a *app) root() *cobra.Command {
	root := group("lanyard", "Keep folders the same on your own computers, directly")
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().StringVar(&a.homeDir, "home", "", "directory of the configuration, identity and index")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return wrongUsage(c, err) })
	root.AddCommand(
		a.serveCommand(), a.stopCommand(), a.webCommand(), a.idCommand(), a.versionCommand(), a.licencesCommand(),
		a.deviceCommand(), a.pairCommand(), a.folderCommand(), a.networkCommand(),
		a.scanCommand(), a.statusCommand(), a.waitCommand(), a.eventsCommand(), a.historyCommand(),
		a.whyCommand(), a.doctorCommand(), a.versionsCommand(), a.restoreCommand(), a.indexCommand(),
		a.conflictsCommand(), a.conflictCommand(),
	)
	return root
}

// usageError is wrong usage of a command.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func wrongUsage(c *cobra.Command, err error) error {
	return &usageError{command: c.CommandPath(), err: err}
}

// group makes a command that only has commands below it.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return wrongUsage(c, errors.New("a command is missing"))
			}
			return wrongUsage(c, fmt.Errorf("there is no command %q", args[0]))
		},
		Args: cobra.ArbitraryArgs,
	}
}

// takes makes a check for the number of arguments that a command takes.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.RangeArgs(least, most)(c, args); err != nil {
			return wrongUsage(c, fmt.Errorf("%d arguments do not fit \"%s\"", len(args), c.UseLine()))
		}
		return nil
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this program", Args: takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.Out, "lanyard "+a.Version)
			return err
		},
	}
}
