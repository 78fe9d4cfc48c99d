package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/web"
)

func (a *app) networkCommand() *cobra.Command {
	c := group("network", "The network that this computer is in")
	c.AddCommand(
		a.networkList(),
		a.networkTrust("trust", "Let Syncthings and other devices in a network find this one", "trusted", true),
		a.networkTrust("untrust", "Stay unseen in a network, but for devices that know this one", "not trusted", false),
	)
	return c
}

func (a *app) networkList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the networks that this computer is in, and those that were asked about", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withEngine(c.Context(), func(client *web.Client) error {
				networks, err := client.Networks(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(networks)
				}
				return a.printNetworks(networks)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) printNetworks(networks []service.Network) error {
	words := map[service.Trust]string{service.Trusted: "trusted", service.Untrusted: "not trusted", service.Unasked: "not asked about yet"}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, n := range networks {
		place, trust := "", words[n.Trust]
		if n.Here {
			place = "here"
		}
		if n.ID == "" {
			trust = "cannot be recognised"
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join([]string{oneLine(n.Name), trust, place}, "\t"), "\t"))
	}
	return w.Flush()
}

func (a *app) networkTrust(use, short, said string, trusted bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " [NETWORK]", Short: short, Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(client *web.Client) error {
				which := service.CurrentNetwork
				if len(args) == 1 {
					which = args[0]
				}
				n, err := client.TrustNetwork(c.Context(), which, service.NetworkTrust{Trusted: trusted})
				if err != nil {
					return err
				}
				return a.say("%s is %s", oneLine(n.Name), said)
			})
		},
	}
}
