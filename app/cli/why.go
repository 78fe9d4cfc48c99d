package cli

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/app/web"
	"lanyard/sync/status"
)

func (a *app) whyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "why FOLDER/PATH | FOLDER | DEVICE", Short: "Say why a file, a folder or a device is, or is not, in sync", Args: takes(1, 1),
		Long: "Say why a file, a folder or a device is, or is not, in sync.\n\n" +
			"FOLDER is the ID or label of a folder, PATH a name in it; a file may also be\n" +
			"named as it stands on this computer. DEVICE is an ID, its first group, or a name.",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				why, err := explain(c.Context(), s, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(why)
				}
				return a.printWhy(why)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// explain finds out what a person means: a name in a folder, a folder, a file
// of this computer, or a device.
func explain(ctx context.Context, s *web.Client, text string) (status.Why, error) {
	shares, err := s.Folders(ctx)
	if err != nil {
		return status.Why{}, err
	}
	if folder, path, ok := inFolders(shares, text); ok {
		return s.Why(ctx, folder, path)
	}
	peers, err := s.Devices(ctx)
	if err != nil {
		return status.Why{}, err
	}
	for _, p := range peers {
		group, _, _ := strings.Cut(p.ID, "-")
		if p.Name == text || strings.EqualFold(p.ID, text) || strings.EqualFold(group, text) {
			return s.WhyDevice(ctx, text)
		}
	}
	return status.Why{}, &config.Refusal{
		Reason: config.NotFound, Item: text,
		Text:   strconv.Quote(text) + " is neither a folder nor a device, nor a file in a folder",
		Remedy: `see "lanyard folder list" and "lanyard device list"`,
	}
}

// inFolders reads FOLDER, FOLDER/PATH with an ID or a label, or a file as it
// stands on this computer. IDs may hold slashes themselves, so the longest one
// that fits is taken.
func inFolders(shares []service.Share, text string) (folder, path string, ok bool) {
	best := 0
	take := func(f service.Share, prefix string) {
		rest, below := strings.CutPrefix(text, prefix+"/")
		if (below || text == prefix) && prefix != "" && len(prefix) > best {
			if !below {
				rest = ""
			}
			folder, path, best = f.ID, rest, len(prefix)
		}
	}
	for _, f := range shares {
		take(f, f.ID)
	}
	if best > 0 {
		return folder, path, true
	}
	for _, f := range shares {
		take(f, f.Label)
	}
	if best > 0 {
		return folder, path, true
	}
	whole, err := filepath.Abs(text)
	if err != nil {
		return "", "", false
	}
	for _, f := range shares {
		rest, err := filepath.Rel(f.Path, whole)
		if err != nil || rest == ".." || strings.HasPrefix(rest, ".."+string(filepath.Separator)) || len(f.Path) <= best {
			continue
		}
		if rest == "." {
			rest = ""
		}
		folder, path, best = f.ID, filepath.ToSlash(rest), len(f.Path)
	}
	return folder, path, best > 0
}

// printWhy prints the answer, then what can be done, then what else is wrong.
func (a *app) printWhy(why status.Why) error {
	a.words().WordWhy(&why)
	lines := []string{why.Text}
	if why.Remedy != "" {
		lines = append(lines, "  > "+why.Remedy)
	}
	for i := range why.More {
		lines = append(lines, problemLines("  ! ", &why.More[i])...)
	}
	for _, line := range lines {
		if err := a.say("%s", oneLine(line)); err != nil {
			return err
		}
	}
	return nil
}

// problemLines gives a problem and below it what can be done.
func problemLines(mark string, p *status.Problem) []string {
	text := p.Text
	if text == "" {
		text = string(p.Code)
	}
	if p.Count > 1 {
		text += " (" + strconv.FormatInt(p.Count, 10) + "×)"
	}
	lines := []string{mark + text}
	if p.Remedy != "" {
		lines = append(lines, strings.Repeat(" ", len(mark))+"> "+p.Remedy)
	}
	return lines
}
