package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/web"
	"lanyard/sync/status"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch bool
	c := &cobra.Command{
		Use: "status", Short: "Print the state of folders and devices", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				if watch {
					return quietEnd(c.Context(), s.Follow(c.Context(), a.watcher(asJSON)))
				}
				snap, err := s.Status(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(snap)
				}
				_, err = io.WriteString(a.Out, a.view(snap))
				return err
			})
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&watch, "watch", false, "follow the changes until interrupted")
	return c
}

// quietEnd takes an interrupt by the person who watches for a success.
func quietEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// watcher gives what shows one state after the other: JSON documents, a view
// that redraws itself on a terminal, or a line for each change.
func (a *app) watcher(asJSON bool) func(service.SnapshotEvent) error {
	switch {
	case asJSON:
		return func(e service.SnapshotEvent) error { return a.printJSON(e.Status) }
	case isTerminal(a.Out):
		return func(e service.SnapshotEvent) error {
			// To the top left, and erase what is below.
			_, err := io.WriteString(a.Out, "\x1b[H\x1b[J"+a.view(e.Status))
			return err
		}
	}
	last := ""
	return func(e service.SnapshotEvent) error {
		line := summary(e.Status)
		if line == last {
			return nil
		}
		last = line
		return a.say("%s", line)
	}
}

// isTerminal reports whether a stream is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// view draws the whole state for people.
func (a *app) view(s status.Snapshot) string {
	var b strings.Builder
	words := a.words()
	line := func(format string, args ...any) { fmt.Fprintln(&b, oneLine(fmt.Sprintf(format, args...))) }
	line("%s  %s", s.Name, s.DeviceID)
	problems := func(mark string, all []status.Problem) {
		for _, p := range all {
			words.Word(&p)
			for _, text := range problemLines(mark, &p) {
				line("%s", text)
			}
		}
	}
	problems("! ", s.Problems)
	for _, f := range s.Folders {
		line("")
		line("%s (%s)  %s", f.Label, f.ID, f.Path)
		line("  %s, %s, %s", folderState(f)+onlyHere(f), count(f.Local.Files, "file"), size(f.Local.Bytes))
		problems("  ! ", notOfFiles(f.Problems))
		for _, p := range f.Progress.Files {
			line("  %s  %s of %s", p.Name, size(p.Done), size(p.Total))
		}
		problems("  ! ", failedOf(&f))
		if n := f.FailedCount - int64(min(len(f.Failed), maxShown)); n > 0 {
			line("  ! and %s more; all are listed by: lanyard status --json", count(n, "name"))
		}
	}
	if len(s.Devices) > 0 {
		line("")
	}
	for _, d := range s.Devices {
		line("%s  %s", d.Name, deviceState(d, words))
		problems("  ! ", notOfFiles(d.Problems))
	}
	for _, o := range s.Offers {
		if !o.Refused {
			line("%s", a.offerText(o))
		}
	}
	if len(s.Folders)+len(s.Devices)+len(s.Offers) == 0 {
		line("%s", a.tell(text.PairFresh))
	}
	for _, r := range s.Removed[:min(len(s.Removed), maxShown)] {
		line("%s  %s", r.Name, a.tell(text.PairRemoved, "time", r.Time.Format(time.RFC3339)))
	}
	if n := len(s.Removed) - maxShown; n > 0 {
		line("and %s more; all are listed by: lanyard device list --removed", count(int64(n), "removed device"))
	}
	return b.String()
}

// onlyHere says of a folder that is whole here where it is not: "in sync" alone
// would be taken for the whole truth.
func onlyHere(f status.Folder) string {
	if f.InSync && len(f.Devices) == 0 {
		return " here, and shared with no device"
	}
	return ""
}

// maxShown is how many names that cannot be synced the view lists.
const maxShown = 10

// notOfFiles leaves out what is listed name by name, and what stands in the
// line of the state.
func notOfFiles(all []status.Problem) []status.Problem {
	return slices.DeleteFunc(slices.Clone(all), func(p status.Problem) bool {
		c, known := status.Find(p.Code)
		return p.Count > 0 && (!known || c.Scope == status.File) || p.Code == "paused-by-you"
	})
}

// failedOf gives the names that cannot be synced, as problems.
func failedOf(f *status.Folder) []status.Problem {
	out := make([]status.Problem, 0, maxShown)
	for _, failed := range f.Failed[:min(len(f.Failed), maxShown)] {
		p := status.Problem{Code: failed.Code, Text: failed.Name + ": " + failed.Text, Param: failed.Param}
		if c, known := status.Find(failed.Code); known && c.Scope != status.File {
			p = status.Problem{Text: failed.Name} // the sentence stands above, once
		}
		out = append(out, p)
	}
	return out
}

func problemText(p *status.Problem) string {
	if p.Text != "" {
		return p.Text
	}
	return string(p.Code)
}

// folderState gives what a folder is doing, with how far it has come.
func folderState(f status.Folder) string {
	out := string(f.State)
	if f.InSync {
		out = "in sync"
	}
	if f.Need.Items > 0 {
		out += fmt.Sprintf(", %s (%s) to get", count(f.Need.Items, "item"), size(f.Need.Bytes))
	}
	if p := f.Progress; f.State == status.Syncing && p.TotalBytes > 0 {
		out += fmt.Sprintf(", %s/s, %s left", size(int64(p.Rate)), size(p.TotalBytes-p.DoneBytes))
		if p.SecondsLeft > 0 {
			out += ", " + span(p.SecondsLeft)
		}
	}
	if f.Conflicts > 0 {
		out += ", " + count(f.Conflicts, "conflict")
	}
	if f.Held > 0 {
		out += ", " + count(f.Held, "deletion") + " held"
	}
	return out
}

func deviceState(d status.Device, words *text.Catalogue) string {
	switch {
	case d.Paused:
		return "paused"
	case !d.Connected:
		return "not connected"
	}
	out := "connected, " + d.Address
	if reach := words.Reach(d.Reach); reach != "" {
		out = "connected (" + reach + "), " + d.Address
	}
	if d.Client != "" {
		out += ", " + d.Client
	}
	out += fmt.Sprintf(", in %s/s, out %s/s", size(int64(d.InRate)), size(int64(d.OutRate)))
	var items, bytes int64
	for _, need := range d.Folders {
		items += need.NeedItems
		bytes += need.NeedBytes
	}
	if items > 0 {
		out += fmt.Sprintf(", lacks %s (%s)", count(items, "item"), size(bytes))
	}
	return out
}

// summary gives the state on one line.
func summary(s status.Snapshot) string {
	parts := make([]string, 0, len(s.Folders)+len(s.Devices)+1)
	for _, f := range s.Folders {
		part := f.Label + ": " + folderState(f)
		if f.Problem != nil {
			part += ", " + problemText(f.Problem)
		}
		parts = append(parts, part)
	}
	for _, d := range s.Devices {
		state := "not connected"
		if d.Connected {
			state = "connected"
		}
		parts = append(parts, d.Name+": "+state)
	}
	if len(parts) == 0 {
		parts = append(parts, "no folders and no devices yet")
	}
	return oneLine(strings.Join(parts, " · "))
}
