package cli

import (
	"fmt"
	"path/filepath"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/text"
)

func (a *app) folderCommand() *cobra.Command {
	c := group("folder", "The folders of this device")
	c.AddCommand(
		a.folderList(), a.folderAdd(), a.folderShare(), a.folderUnshare(), a.folderRemove(),
		a.folderOffers(), a.folderPreview(), a.folderAccept(), a.folderRefuse(),
		a.folderHeld(),
		a.folderPause("pause", "Stop syncing a folder for now", true),
		a.folderPause("resume", "Sync a paused folder again", false),
		a.folderAllow(),
	)
	return c
}

func (a *app) folderList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the configured folders", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				shares, err := s.Folders(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(shares)
				}
				return a.printShares(shares)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) printShares(shares []service.Share) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, f := range shares {
		state := f.Type
		if f.Paused {
			state += ", paused"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.ID, oneLine(f.Label), oneLine(f.Path), state)
	}
	return w.Flush()
}

func (a *app) folderAdd() *cobra.Command {
	var req service.NewShare
	c := &cobra.Command{
		Use: "add PATH", Short: "Add a folder and print its ID", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			req.Path = path
			return a.withSettings(c.Context(), func(s settings) error {
				added, err := s.AddFolder(c.Context(), req)
				if err != nil {
					return err
				}
				if added.Made {
					said := a.words().SayOffer(text.FolderMade, map[string]string{"path": added.Path})
					fmt.Fprintln(a.Err, oneLine(said)) // programs read the ID alone
				}
				return a.say("%s", added.ID)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&req.ID, "id", "", "its ID on every device (default: a random one)")
	f.StringVar(&req.Label, "label", "", "its name for people (default: the directory's)")
	f.StringVar(&req.Type, "type", "send-receive", "send-receive, send-only, receive-only or receive-encrypted")
	f.StringArrayVar(&req.Devices, "share", nil, "device to share it with; may be repeated")
	f.BoolVar(&req.NoBrake, "no-brake", false, "let mass deletions through without asking")
	return c
}

func (a *app) folderShare() *cobra.Command {
	return &cobra.Command{
		Use: "share ID DEVICE", Short: "Share a folder with a device", Args: takes(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				_, err := s.ShareFolder(c.Context(), args[0], args[1])
				return err
			})
		},
	}
}

func (a *app) folderUnshare() *cobra.Command {
	return &cobra.Command{
		Use: "unshare ID DEVICE", Short: "Stop sharing a folder with a device", Args: takes(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				_, err := s.UnshareFolder(c.Context(), args[0], args[1])
				return err
			})
		},
	}
}

func (a *app) folderRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "Stop syncing a folder; its files stay", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				return s.RemoveFolder(c.Context(), args[0])
			})
		},
	}
}

func (a *app) folderPause(use, short string, paused bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " ID", Short: short, Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				_, err := s.ChangeFolder(c.Context(), args[0], service.ShareChange{Paused: &paused})
				return err
			})
		},
	}
}

func (a *app) folderAllow() *cobra.Command {
	return &cobra.Command{
		Use: "allow ID ENTRIES", Short: `Let each device announce so many files, "any" for no limit, "usual" for 5 million`,
		Args: takes(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := entries(args[1])
			if err != nil {
				return wrongUsage(c, err)
			}
			return a.withSettings(c.Context(), func(s settings) error {
				_, err := s.ChangeFolder(c.Context(), args[0], service.ShareChange{MaxEntries: &n})
				return err
			})
		},
	}
}

// entries reads how many entries a device may announce, as a folder's settings
// have it.
func entries(text string) (int64, error) {
	switch text {
	case "any":
		return -1, nil
	case "usual":
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is no number of entries", text)
	}
	return n, nil
}
