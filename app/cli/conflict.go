package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/web"
	"lanyard/sync/status"
)

func (a *app) conflictsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "conflicts [FOLDER]", Short: "List the files that two devices changed at once", Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				folders := args
				if len(folders) == 0 {
					shares, err := s.Folders(c.Context())
					if err != nil {
						return err
					}
					for _, f := range shares {
						if !f.Paused {
							folders = append(folders, f.ID)
						}
					}
				}
				all := status.Conflicts{Files: []status.TwoVersions{}}
				for _, f := range folders {
					files, err := everyConflict(c.Context(), s, f)
					if err != nil {
						return err
					}
					all.Files = append(all.Files, files...)
				}
				all.Total = len(all.Files)
				if asJSON {
					return a.printJSON(all)
				}
				return a.printConflicts(all)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// everyConflict reads those of a folder part by part. A part may have fewer rows
// than places: some were settled meanwhile.
func everyConflict(ctx context.Context, s *web.Client, folder string) (all []status.TwoVersions, err error) {
	for w := (status.Window{Most: service.MostRows}); ; w.From += w.Most {
		found, err := s.Conflicts(ctx, folder, w)
		if err != nil {
			return nil, err
		}
		if all = append(all, found.Files...); w.From+w.Most >= found.Total {
			return all, nil
		}
	}
}

// printConflicts lists both versions of each file, with who made them and when.
func (a *app) printConflicts(all status.Conflicts) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, f := range all.Files {
		mine, theirs := f.Named, &f.Beside
		if !f.MineNamed {
			mine, theirs = theirs, mine
		}
		fmt.Fprintf(w, "%s\n", oneLine(f.Folder+"/"+f.Path))
		printSide(w, "mine", mine)
		printSide(w, "theirs", theirs)
		fmt.Fprintf(w, "  beside it:\t%s\n", oneLine(f.Folder+"/"+f.Copy))
	}
	return w.Flush()
}

func printSide(w *tabwriter.Writer, which string, v *status.OneVersion) {
	if v == nil {
		fmt.Fprintf(w, "  %s:\tdeleted\n", which)
		return
	}
	fmt.Fprintf(w, "  %s:\t%s\t%s\t%s\n", which, v.Modified.Format(time.RFC3339), size(v.Bytes), oneLine(v.Name))
}

func (a *app) conflictCommand() *cobra.Command {
	c := group("conflict", "Settle what two devices changed at once")
	c.AddCommand(a.conflictResolve())
	return c
}

func (a *app) conflictResolve() *cobra.Command {
	var keep string
	c := &cobra.Command{
		Use: "resolve FOLDER/PATH --keep mine|theirs|both", Short: "Keep one of two versions, or both; the other becomes an old version", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if keep == "" {
				return wrongUsage(c, errors.New("--keep is missing"))
			}
			return a.withEngine(c.Context(), func(s *web.Client) error {
				folder, path, err := target(c.Context(), s, args[0])
				if err != nil {
					return err
				}
				settled, err := s.Settle(c.Context(), folder, service.Settling{Path: path, Keep: keep})
				if err == nil && !settled.Done {
					err = errors.New("one of the two versions was changed meanwhile, nothing was done: look at both once more")
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&keep, "keep", "", "mine, theirs or both")
	return c
}
