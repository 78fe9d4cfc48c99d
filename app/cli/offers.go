package cli

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/web"
	"lanyard/sync/status"
)

func (a *app) folderOffers() *cobra.Command {
	var refused, asJSON bool
	c := &cobra.Command{
		Use: "offers", Short: "List the folders that other devices offer", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				offers, err := s.Offers(c.Context())
				if err != nil {
					return err
				}
				shown := make([]status.Offer, 0, len(offers))
				for _, o := range offers {
					if refused || !o.Refused {
						shown = append(shown, o)
					}
				}
				if asJSON {
					return a.printJSON(shown)
				}
				return a.printOffers(shown, len(offers)-len(shown))
			})
		},
	}
	c.Flags().BoolVar(&refused, "refused", false, "list the refused ones as well")
	jsonFlag(c, &asJSON)
	return c
}

// printOffers lists offers, and says how many refused ones it does not list.
func (a *app) printOffers(offers []status.Offer, hidden int) error {
	if len(offers) == 0 && hidden == 0 {
		return a.say("%s", a.words().SayOffer(text.OfferNone, nil))
	}
	for _, o := range offers {
		if err := a.say("%s", oneLine(a.offerText(o))); err != nil {
			return err
		}
	}
	if hidden == 0 {
		return nil
	}
	return a.say("%s", a.words().SayOffer(text.OfferHidden, map[string]string{"n": strconv.Itoa(hidden), "command": "lanyard folder offers --refused"}))
}

// offerText says what a device offers, or that it asks to connect, and what to
// do about it.
func (a *app) offerText(o status.Offer) string {
	if o.Folder == "" {
		return fmt.Sprintf("%s (%s) asks to connect: lanyard device add %s", o.Name, o.Address, o.Device)
	}
	words := a.words()
	values := map[string]string{"device": o.Name, "folder": labelOf(o)}
	if o.Counted {
		values["n"], values["size"] = strconv.FormatInt(o.Files, 10), strconv.FormatInt(o.Bytes, 10)
	}
	said := text.OfferFolder
	command := "lanyard folder accept " + strconv.Quote(o.Folder)
	switch {
	case o.Refused:
		said = text.OfferRefused
	case o.Joined:
		said = text.OfferMore
		command += " --device " + strconv.Quote(o.Name)
	}
	if !o.Joined {
		command += " PATH"
	}
	parts := []string{words.SayOffer(said, values), words.SayOffer(text.OfferAccept, map[string]string{"command": command})}
	if !o.Connected {
		parts = append(parts, words.SayOffer(text.OfferAway, values))
	}
	return strings.Join(parts, "; ")
}

func labelOf(o status.Offer) string {
	if o.Label == "" {
		return o.Folder
	}
	return o.Label
}

func (a *app) folderAccept() *cobra.Command {
	var req service.Acceptance
	var asJSON bool
	c := &cobra.Command{
		Use: "accept ID [PATH]", Short: "Join a folder that another device offers", Args: takes(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				path, err := filepath.Abs(args[1])
				if err != nil {
					return err
				}
				req.Path = path
			}
			return a.withEngine(c.Context(), func(s *web.Client) error {
				got, err := s.Accept(c.Context(), args[0], req)
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(got)
				}
				return a.printAccepted(got)
			})
		},
	}
	f := c.Flags()
	f.StringArrayVar(&req.Devices, "device", nil, "device to share it with, where several offer it; may be repeated")
	f.StringVar(&req.Type, "type", "", "send-receive (default), send-only, receive-only or receive-encrypted")
	f.BoolVar(&req.Merge, "merge", false, "join although the directory holds files, which are merged")
	f.StringVar(&req.Differ, "differ", "", "what is kept of files that are here and there and differ: both (default), mine, or theirs; the one that goes is an old version where it stood")
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) printAccepted(got service.Accepted) error {
	words := a.words()
	values := map[string]string{
		"folder": got.Folder.Label, "path": got.Folder.Path, "devices": strings.Join(got.Folder.Devices, "\n"),
	}
	said := text.OfferShared
	if got.Added {
		said = text.OfferAccepted
	}
	for _, line := range append([]string{words.SayOffer(said, values)}, got.Warnings...) {
		if err := a.say("%s", oneLine(line)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) folderPreview() *cobra.Command {
	var req service.PreviewRequest
	var asJSON bool
	c := &cobra.Command{
		Use: "preview ID PATH", Short: "Show what joining a folder that is offered would do; nothing is changed", Args: takes(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := filepath.Abs(args[1])
			if err != nil {
				return err
			}
			req.Path = path
			return a.withEngine(c.Context(), func(s *web.Client) error {
				p, err := s.Preview(c.Context(), args[0], req)
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(p)
				}
				return a.printPreview(p)
			})
		},
	}
	c.Flags().StringVar(&req.Device, "device", "", "device to compare with, where several offer it")
	jsonFlag(c, &asJSON)
	return c
}

// printPreview says what joining would do.
func (a *app) printPreview(p status.Preview) error {
	words := a.words()
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	var lines []string
	add := func(t text.OfferText, pairs ...string) {
		values := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			values[pairs[i]] = pairs[i+1]
		}
		lines = append(lines, words.SayOffer(t, values))
	}
	add(text.PreviewSame, "n", number(p.Same.Files), "size", number(p.Same.Bytes))
	add(text.PreviewThere, "n", number(p.There.Files), "size", number(p.There.Bytes))
	add(text.PreviewHere, "n", number(p.Here.Files), "size", number(p.Here.Bytes))
	add(text.PreviewDiffer, "n", number(p.Differ))
	for _, d := range p.Names {
		lines = append(lines, "  "+d.Name)
	}
	if more := p.Differ - int64(len(p.Names)); more > 0 {
		add(text.PreviewMore, "n", number(more))
	}
	var sides []string
	for _, keep := range p.Choices {
		if keep != status.KeepBoth {
			sides = append(sides, string(keep))
		}
	}
	if len(sides) > 0 {
		add(text.PreviewChoose, "command", "--differ "+strings.Join(sides, "|"))
	}
	if p.Skipped > 0 {
		add(text.PreviewSkipped, "n", number(p.Skipped))
	}
	add(text.PreviewBytes, "size", number(p.Incoming), "need", number(p.Outgoing))
	if p.Incoming > p.Free {
		add(text.OfferSpace, "size", number(p.Incoming), "free", number(p.Free), "path", p.Path)
	}
	if !p.Complete {
		add(text.PreviewPart)
	}
	for _, l := range lines {
		if err := a.say("%s", oneLine(l)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) folderRefuse() *cobra.Command {
	var req service.OfferAnswer
	var undo, asJSON bool
	c := &cobra.Command{
		Use: "refuse ID", Short: "Refuse a folder that another device offers, until it offers it anew", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			req.Refused = !undo
			return a.withEngine(c.Context(), func(s *web.Client) error {
				offers, err := s.AnswerOffer(c.Context(), args[0], req)
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(offers)
				}
				said, names := text.OfferRefuse, make([]string, 0, len(offers))
				if undo {
					said = text.OfferAgain
				}
				for _, o := range offers {
					names = append(names, o.Name)
				}
				return a.say("%s", oneLine(a.words().SayOffer(said, map[string]string{
					"folder": labelOf(offers[0]), "devices": strings.Join(names, "\n"),
				})))
			})
		},
	}
	f := c.Flags()
	f.StringArrayVar(&req.Devices, "device", nil, "whose offer, where several make it; may be repeated")
	f.BoolVar(&undo, "undo", false, "take the refusal back")
	jsonFlag(c, &asJSON)
	return c
}
