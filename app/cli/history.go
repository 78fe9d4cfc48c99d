package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/web"
	"lanyard/sync/status"
)

func (a *app) historyCommand() *cobra.Command {
	var asJSON bool
	var search string
	c := &cobra.Command{
		Use: "history [FOLDER] [--search TEXT]", Short: "What happened since the engine started, and by which device", Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				req := service.ActivityRequest{Folder: strings.Join(args, ""), Search: search}
				var all status.Activity
				for {
					part, err := s.Activity(c.Context(), req)
					if err != nil {
						return err
					}
					part.Entries = append(all.Entries, part.Entries...)
					all, req.Before = part, part.Next
					if req.Before == "" {
						break
					}
				}
				if asJSON {
					return a.printJSON(all)
				}
				return a.printHistory(all)
			})
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&search, "search", "", "only what has this in the name of a file, a folder or a device")
	return c
}

// printHistory prints what happened, the newest last.
func (a *app) printHistory(all status.Activity) error {
	if all.Dropped {
		fmt.Fprintf(a.Out, "Only the last %d entries are kept.\n", all.Kept)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, h := range slices.Backward(all.Entries) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", h.Time.Local().Format(time.DateTime), h.What, oneLine(whereOf(&h)), oneLine(h.Name))
	}
	return w.Flush()
}

// whereOf tells what an entry is about.
func whereOf(h *status.Happening) string {
	switch {
	case h.Count > 0:
		return h.Folder + ": " + count(h.Count, "more file")
	case h.Path != "" && h.From != "" && h.What == status.FileRenamed:
		return h.Folder + "/" + h.From + " -> " + h.Path
	case h.Path != "":
		return h.Folder + "/" + h.Path
	case h.Text != "":
		return h.Text
	}
	return h.Folder
}
