package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/web"
	"lanyard/sync/status"
)

// target splits FOLDER/PATH. Folder IDs may hold slashes themselves, so the
// longest configured one that fits is taken.
func target(ctx context.Context, c interface {
	Folders(context.Context) ([]service.Share, error)
}, text string,
) (folder, path string, err error) {
	shares, err := c.Folders(ctx)
	if err != nil {
		return "", "", err
	}
	for _, f := range shares {
		if rest, ok := strings.CutPrefix(text, f.ID+"/"); ok && len(f.ID) > len(folder) {
			folder, path = f.ID, rest
		}
	}
	if folder == "" {
		return "", "", &config.Refusal{
			Reason: config.NotFound, Item: text,
			Text:   strconv.Quote(text) + " does not start with the ID of a folder",
			Remedy: `write it as FOLDER/PATH with an ID from "lanyard folder list"`,
		}
	}
	return folder, path, nil
}

func (a *app) versionsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "versions FOLDER/PATH", Short: "List the stored versions of a file", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				folder, path, err := target(c.Context(), s, args[0])
				if err != nil {
					return err
				}
				versions, err := everyRow(func(w status.Window) ([]status.StoredVersion, int, error) {
					part, err := s.Versions(c.Context(), folder, path, w)
					return part.Versions, part.Total, err
				})
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(versions)
				}
				if len(versions) == 0 {
					return a.say("%s", oneLine(a.words().SayOffer(text.NoVersions, map[string]string{"path": path, "folder": folder})))
				}
				return a.printVersions(versions)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// everyRow reads a list part by part.
func everyRow[T any](read func(w status.Window) (rows []T, total int, err error)) ([]T, error) {
	all := []T{}
	for {
		rows, total, err := read(status.Window{From: len(all), Most: service.MostRows})
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); len(rows) == 0 || len(all) >= total {
			return all, nil
		}
	}
}

// printVersions lists times in the form that "restore --at" takes.
func (a *app) printVersions(versions []status.StoredVersion) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, v := range versions {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Time.Format(time.RFC3339Nano), size(v.Bytes), oneLine(v.Path))
	}
	return w.Flush()
}

func (a *app) restoreCommand() *cobra.Command {
	var at, to string
	c := &cobra.Command{
		Use: "restore FOLDER/PATH", Short: "Bring a stored version of a file back", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			req := service.RestoreRequest{To: to}
			if at != "" {
				var err error
				if req.At, err = parseTime(at); err != nil {
					return wrongUsage(c, err)
				}
			}
			return a.withEngine(c.Context(), func(s *web.Client) error {
				folder, path, err := target(c.Context(), s, args[0])
				if err != nil {
					return err
				}
				req.Path = path
				return s.Restore(c.Context(), folder, req)
			})
		},
	}
	c.Flags().StringVar(&at, "at", "", `when it was replaced or deleted, as "lanyard versions" prints it (default: the newest)`)
	c.Flags().StringVar(&to, "to", "", "another path in the folder (default: where it was)")
	return c
}

// parseTime reads a time as versions prints it, or as people write it in their
// own zone.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-03-04T05:06:07Z", text)
}
