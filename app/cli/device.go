package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"lanyard/app/service"
)

func (a *app) deviceCommand() *cobra.Command {
	c := group("device", "The other devices")
	c.AddCommand(
		a.deviceList(), a.deviceAdd(), a.deviceRemove(), a.deviceRename(),
		a.devicePause("pause", "Keep a device disconnected", true),
		a.devicePause("resume", "Let a paused device connect again", false),
	)
	return c
}

func (a *app) deviceList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the configured devices", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
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
	return c
}

func (a *app) printPeers(peers []service.Peer) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, p := range peers {
		state := ""
		if p.Paused {
			state = "paused"
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join([]string{
			p.ID, oneLine(p.Name), strings.Join(p.Addresses, " "), state,
		}, "\t"), "\t"))
	}
	return w.Flush()
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
		Use: "remove DEVICE", Short: "Remove a device; no files are touched", Args: takes(1, 1),
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
