package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/sync/status"
)

func (a *app) deviceCommand() *cobra.Command {
	c := group("device", "The other devices")
	c.AddCommand(
		a.deviceList(), a.deviceAdd(), a.deviceRemove(), a.deviceRename(),
		a.devicePause("pause", "Keep a device disconnected", true),
		a.devicePause("resume", "Let a paused device connect again, or keep one that another computer removed", false),
	)
	return c
}

func (a *app) deviceList() *cobra.Command {
	var asJSON, removed bool
	c := &cobra.Command{
		Use: "list", Short: "List the configured devices, or those that were removed", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				if removed {
					return a.listRemoved(c.Context(), s, asJSON)
				}
				peers, err := s.Devices(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(peers)
				}
				return a.printPeers(peers)
			})
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&removed, "removed", false, "those that were removed: they get nothing until they are connected or added again")
	return c
}

func (a *app) listRemoved(ctx context.Context, s settings, asJSON bool) error {
	list, err := s.RemovedDevices(ctx)
	switch {
	case err != nil:
		return err
	case asJSON:
		return a.printJSON(list)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", d.ID, oneLine(d.Name), d.Time.Local().Format(time.DateTime))
	}
	return w.Flush()
}

func (a *app) printPeers(peers []service.Peer) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, p := range peers {
		state := ""
		if p.Paused {
			state = "paused"
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join([]string{
			p.ID, oneLine(p.Name), strings.Join(p.Addresses, " "), state, verified(p),
		}, "\t"), "\t"))
	}
	return w.Flush()
}

// ways says how a device became a peer.
var ways = map[status.PairingMethod]string{
	status.ByCode:    "verified by an invitation",
	status.ByPicture: "verified by a picture of its code",
	status.ByLink:    "verified by its invitation link",
	status.ByNumber:  "verified by comparing six digits",
	status.ByID:      "added by its device ID",
	status.ByRequest: "accepted when it asked to connect",
}

// verified says how and when a device became a peer, as far as that is known.
func verified(p service.Peer) string {
	if p.Since.IsZero() {
		return ways[p.Paired]
	}
	return ways[p.Paired] + ", " + p.Since.Local().Format(time.DateOnly)
}

func (a *app) deviceAdd() *cobra.Command {
	var req service.NewPeer
	c := &cobra.Command{
		Use: "add ID", Short: "Add a device by its ID", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				req.ID = args[0]
				added, err := s.AddDevice(c.Context(), req)
				if err != nil {
					return err
				}
				return a.say("added %s", oneLine(added.Name))
			})
		},
	}
	c.Flags().StringVar(&req.Name, "name", "", "its name here (default: the first group of the ID)")
	c.Flags().StringArrayVar(&req.Addresses, "address", nil, "fixed address, quic://HOST:PORT or, for TCP alone, tcp://HOST:PORT; may be repeated")
	return c
}

func (a *app) deviceRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove DEVICE", Short: "Remove a device: it gets nothing any more; no files are touched", Args: takes(1, 1),
		Long: "Remove a device, such as one that was lost. Its connections end at once, it gets nothing any more, not even this\n" +
			"computer's name, and your other computers with Lanyard are told and ask whether to remove it as well. Files that it\n" +
			"has stay there. It comes back by a new pairing, or by: lanyard device add ID",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				return s.RemoveDevice(c.Context(), args[0])
			})
		},
	}
}

func (a *app) deviceRename() *cobra.Command {
	return &cobra.Command{
		Use: "rename DEVICE NAME", Short: "Give a device another name", Args: takes(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				_, err := s.ChangeDevice(c.Context(), args[0], service.PeerChange{Name: &args[1]})
				return err
			})
		},
	}
}

func (a *app) devicePause(use, short string, paused bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " DEVICE", Short: short, Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				_, err := s.ChangeDevice(c.Context(), args[0], service.PeerChange{Paused: &paused})
				return err
			})
		},
	}
}
