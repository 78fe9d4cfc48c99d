package cli

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/web"
	"lanyard/sync/fault"
)

func (a *app) scanCommand() *cobra.Command {
	return &cobra.Command{
		Use: "scan [FOLDER [PATH]]", Short: "Look for changes now, and return once they are recorded", Args: takes(0, 2),
		RunE: func(c *cobra.Command, args []string) error {
			var req service.ScanRequest
			if len(args) > 0 {
				req.Folder = args[0]
			}
			if len(args) > 1 {
				req.Path = path.Clean(filepath.ToSlash(args[1]))
			}
			return a.withEngine(c.Context(), func(s *web.Client) error { return s.Scan(c.Context(), req) })
		},
	}
}

func (a *app) waitCommand() *cobra.Command {
	var req service.WaitRequest
	var timeout time.Duration
	c := &cobra.Command{
		Use: "wait", Short: "Scan, and wait until every connected device is in sync", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if timeout < 0 {
				return wrongUsage(c, fmt.Errorf("--timeout %s is negative", timeout))
			}
			req.Seconds = timeout.Seconds()
			return a.withEngine(c.Context(), func(s *web.Client) error {
				if err := a.sayAwaited(c.Context(), s, req.Device); err != nil {
					return err
				}
				result, err := s.Wait(c.Context(), req)
				if err != nil || result.InSync {
					return err
				}
				return notInSync(timeout, result.Missing)
			})
		},
	}
	c.Flags().StringArrayVar(&req.Folders, "folder", nil, "folder to wait for; may be repeated (default: all)")
	c.Flags().StringVar(&req.Device, "device", "", "device to wait for (default: every connected one)")
	c.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait at most")
	return c
}

// sayAwaited says on standard error that nobody is connected, or not the device
// that is named, so that a wait for one is not taken for a standstill.
func (a *app) sayAwaited(ctx context.Context, s *web.Client, named string) error {
	snap, err := s.Status(ctx)
	if err != nil {
		return err
	}
	for _, d := range snap.Devices {
		if d.Connected && (named == "" || d.Name == named || strings.HasPrefix(d.ID, named)) {
			return nil
		}
	}
	_, err = fmt.Fprintln(a.Err, a.tell(text.PairAwait))
	return err
}

// notInSync says in one sentence what was missing when the time ran out.
func notInSync(timeout time.Duration, missing []service.Missing) error {
	parts := make([]string, 0, len(missing))
	for _, m := range missing {
		who, _, _ := strings.Cut(m.Device, "-")
		if who == "" {
			who = "this device"
		}
		part := fmt.Sprintf("%s lacks %s (%s) of %s", who, count(m.Items, "item"), size(m.Bytes), m.Folder)
		switch {
		case m.Items == 0 && m.Reason != "":
			part = m.Folder + ": " + m.Reason
		case m.Reason != "":
			part += ", " + m.Reason
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, "the scan has not ended")
	}
	return fault.New(fault.Retry, "", "not in sync after %s: %s", timeout, strings.Join(parts, "; "))
}

func (a *app) eventsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "events", Short: "Print the state at each change, until interrupted", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				last := ""
				return quietEnd(c.Context(), s.Follow(c.Context(), func(e service.SnapshotEvent) error {
					if asJSON {
						return a.printJSON(e)
					}
					line := summary(e.Status)
					if line == last {
						return nil
					}
					last = line
					return a.say("%s %s", time.Now().Format(time.TimeOnly), line)
				}))
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "End the engine", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			err = a.withEngine(c.Context(), func(s *web.Client) error { return s.Stop(c.Context()) })
			if err != nil {
				return err
			}
			return untilReleased(c.Context(), home)
		},
	}
}
