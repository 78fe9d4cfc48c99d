package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/sync/status"
)

// indexCommand is for support: what stands in the indexes, with and without a
// running engine.
func (a *app) indexCommand() *cobra.Command {
	c := group("index", "Look into the indexes of folders")
	c.AddCommand(a.indexStats(), a.indexCheck(), a.indexShow(), a.indexExport())
	return c
}

// folderIDs gives the named folder, or all of them.
func folderIDs(ctx context.Context, s indexes, args []string) ([]string, error) {
	if len(args) > 0 {
		return args[:1], nil
	}
	shares, err := s.Folders(ctx)
	ids := make([]string, 0, len(shares))
	for _, f := range shares {
		ids = append(ids, f.ID)
	}
	return ids, err
}

func (a *app) indexStats() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "stats [FOLDER]", Short: "Print figures about indexes", Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withIndexes(c.Context(), func(s indexes) error {
				ids, err := folderIDs(c.Context(), s, args)
				if err != nil {
					return err
				}
				all := make([]status.IndexStats, 0, len(ids))
				for _, id := range ids {
					st, err := s.IndexStats(c.Context(), id)
					if err != nil {
						return err
					}
					all = append(all, st)
				}
				if asJSON {
					return a.printJSON(all)
				}
				return a.printStats(all)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) printStats(all []status.IndexStats) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, st := range all {
		fmt.Fprintf(w, "%s\tindex %s, sequence %s\n", st.Folder, st.IndexID, st.Sequence)
		fmt.Fprintf(w, "  here\t%s\n", counts(st.Local))
		fmt.Fprintf(w, "  everywhere\t%s\n", counts(st.Global))
		fmt.Fprintf(w, "  stored\t%s of %s, %s, %s\n", count(st.Versions, "version"), count(int64(st.Devices)+1, "device"),
			count(st.Lists, "block list"), size(st.Bytes))
		fmt.Fprintf(w, "  saved\t%s, checked %s\n", moment(st.Snapshot), moment(st.Checked))
		if st.Recovering != "" {
			fmt.Fprintf(w, "  recovering\tit was %s\n", st.Recovering)
		}
		if st.Exclusive {
			fmt.Fprintf(w, "  mode\twithout shared memory\n")
		}
	}
	return w.Flush()
}

func counts(c status.IndexCount) string {
	return fmt.Sprintf("%s, %s, %s, %s deleted, %s", count(c.Files, "file"), directories(c.Dirs), count(c.Links, "link"),
		humanize.Comma(c.Deleted), size(c.Bytes))
}

func moment(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format(time.RFC3339)
}

func (a *app) indexCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check [FOLDER]", Short: "Read indexes whole and say whether they are as they should be", Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withIndexes(c.Context(), func(s indexes) error {
				ids, err := folderIDs(c.Context(), s, args)
				if err != nil {
					return err
				}
				for _, id := range ids {
					if err := s.CheckIndex(c.Context(), id); err != nil {
						return err
					}
					if err := a.say("%s is as it should be", id); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func (a *app) indexShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show FOLDER/PATH", Short: "Print all that the index knows of a file", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withIndexes(c.Context(), func(s indexes) error {
				folder, path, err := target(c.Context(), s, args[0])
				if err != nil {
					return err
				}
				entry, err := s.ShowIndex(c.Context(), folder, path)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(entry)
				}
				return a.printEntry(entry)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) printEntry(e status.IndexEntry) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	line := func(who string, v *status.IndexVersion) {
		if v == nil {
			fmt.Fprintf(w, "%s\tnothing\n", who)
			return
		}
		what := append([]string{v.Type}, v.Flags...)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t[%s]\n", who, strings.Join(what, " "), size(v.Size), v.Modified.Format(time.RFC3339Nano), v.Permissions, v.Version)
	}
	line("here", e.Local)
	global := "global"
	if e.Needed {
		global = "global, needed"
	}
	line(global, e.Global)
	for i := range e.Devices {
		line(strings.SplitN(e.Devices[i].Device, "-", 2)[0], &e.Devices[i])
	}
	return w.Flush()
}

func (a *app) indexExport() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use: "export FILE", Short: "Write an index to a new SQLite file, to be read with its view v_rec", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			return a.withIndexes(c.Context(), func(s indexes) error {
				if folder == "" {
					ids, err := folderIDs(c.Context(), s, nil)
					if err != nil {
						return err
					}
					if len(ids) != 1 {
						return &config.Refusal{
							Reason: config.Invalid, Text: fmt.Sprintf("there are %d folders", len(ids)), Remedy: "name one with --folder",
						}
					}
					folder = ids[0]
				}
				return s.ExportIndex(c.Context(), folder, service.IndexExport{File: file})
			})
		},
	}
	c.Flags().StringVar(&folder, "folder", "", "which one (default: the only one)")
	return c
}

func directories(n int64) string {
	if n == 1 {
		return "1 directory"
	}
	return humanize.Comma(n) + " directories"
}
