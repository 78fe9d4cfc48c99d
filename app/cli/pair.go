package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/pairing/qr"
	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/web"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

func (a *app) pairCommand() *cobra.Command {
	c := group("pair", "Connect devices: by an invitation, or by comparing six digits")
	c.AddCommand(a.pairShow(), a.pairAccept(), a.pairNearby(), a.pairList(),
		a.pairAnswer("confirm", "Say yes to a device that waits for an answer", true),
		a.pairAnswer("reject", "Say no to a device that waits for an answer", false),
	)
	return c
}

// tell gives a sentence in the language of the person at the terminal.
func (a *app) tell(t text.PairText, pairs ...string) string {
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = oneLine(pairs[i+1])
	}
	return a.words().SayPair(t, params)
}

// errNobody is a question with nobody to ask.
func (a *app) errNobody() error {
	return &config.Refusal{Reason: config.Invalid, Text: a.tell(text.PairNobody)}
}

// someone reports whether there is a person to ask.
func (a *app) someone() bool { return a.Terminal || isTerminal(a.In) }

// yes asks a question. It gives ctx's cause if that ends before an answer.
func (a *app) yes(ctx context.Context, question string) (bool, error) {
	if _, err := io.WriteString(a.Out, question+" "); err != nil {
		return false, err
	}
	answers := make(chan string, 1)
	go func() { // ends with the process, or with a line
		line, _ := bufio.NewReader(a.In).ReadString('\n') // nothing is no
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case line := <-answers:
		return slices.Contains([]string{"y", "yes", "j", "ja"}, line), nil
	case <-ctx.Done():
		fmt.Fprintln(a.Out)
		return false, context.Cause(ctx)
	}
}

// who describes the other device of a run.
func who(r status.PairingRun) string {
	group, _, _ := strings.Cut(r.Device, "-")
	if r.Name == "" || r.Name == group {
		return cmp.Or(group, "?")
	}
	return r.Name + " (" + group + ")"
}

// followRun follows a run until it has ended, and asks our person where that is
// needed. mine tells which run it is.
func (a *app) followRun(ctx context.Context, s *web.Client, mine func(status.PairingRun) bool, over func(status.Pairing) error) (status.PairingRun, error) {
	var last status.PairingRun
	var asked, shown string
	ended := errors.New("ended")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := s.Follow(ctx, func(e service.SnapshotEvent) error {
		i := slices.IndexFunc(e.Status.Pairing.Runs, mine)
		if i < 0 {
			return over(e.Status.Pairing)
		}
		last = e.Status.Pairing.Runs[i]
		switch last.State {
		case status.PairingDone, status.PairingFailed:
			return ended
		case status.PairingAsks:
			if asked == last.ID {
				return nil
			}
			asked = last.ID
			if !a.someone() {
				return a.errNobody()
			}
			// Beside, since the other side may end it first.
			go func(r status.PairingRun) {
				if err := a.compare(ctx, s, r); err != nil {
					cancel(err)
				}
			}(last)
		case status.PairingWaits:
			line := a.tell(text.PairWaits, "device", who(last), "digits", last.Digits)
			if last.Began && last.Method == status.ByCode && last.Digits != "" && line != shown {
				shown = line
				return a.sayBeside(line)
			}
		}
		return nil
	})
	if errors.Is(err, ended) {
		return last, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return last, err
}

// sayBeside prints a line where no JSON is printed.
func (a *app) sayBeside(line string) error {
	if a.quiet {
		return nil
	}
	return a.say("%s", line)
}

// compare shows a device and the digits, and passes on what our person says.
func (a *app) compare(ctx context.Context, s *web.Client, r status.PairingRun) error {
	var b strings.Builder
	if r.SameName {
		b.WriteString(a.tell(text.PairSameName, "name", r.Name) + "\n")
	}
	b.WriteString(a.tell(text.PairAsks, "device", who(r)) + "\n\n    " + r.Digits + "\n\n" + a.tell(text.PairSame))
	yes, err := a.yes(ctx, b.String())
	if err != nil {
		return err
	}
	return s.AnswerPairing(ctx, r.ID, service.Reply{Yes: yes})
}

// outcome tells how a run ended.
func (a *app) outcome(r status.PairingRun) error {
	if r.State == status.PairingDone {
		return a.sayBeside(a.tell(text.PairDone, "device", who(r)))
	}
	if r.Problem == nil {
		return fault.New(fault.Item, "", "%s", a.tell(text.PairFailed))
	}
	p := *r.Problem
	a.words().Word(&p)
	return &service.Error{Code: string(p.Code), Text: strings.TrimSuffix(p.Text, "."), Remedy: p.Remedy, Item: r.Device}
}

// showing is what "pair show" was asked for.
type showing struct {
	asJSON, noWait, yes bool
	image               string
}

func (a *app) pairShow() *cobra.Command {
	var o showing
	c := &cobra.Command{
		Use: "show", Short: "Show a one-time invitation, and wait until it was used or has expired", Args: takes(0, 0),
		Long: "Show a one-time invitation as a QR code and as a link, and wait until it was used or has expired.\n" +
			"It is good for two minutes and for one device. Whoever knows the link can use it: send it only where nobody else reads it.",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error { return a.show(c.Context(), s, o) })
		},
	}
	jsonFlag(c, &o.asJSON)
	c.Flags().StringVar(&o.image, "image", "", "also write the QR code to this file, as PNG")
	c.Flags().BoolVar(&o.noWait, "no-wait", false, "end at once; the invitation stays open")
	c.Flags().BoolVar(&o.yes, "yes", false, "connect whoever uses it without asking: for a link whose way you trust")
	return c
}

func (a *app) show(ctx context.Context, s *web.Client, o showing) (err error) {
	if !o.yes && !o.noWait && !a.someone() {
		return a.errNobody()
	}
	a.quiet = o.asJSON
	inv, err := s.OpenInvitation(ctx, service.NewInvitation{Yes: o.yes})
	if err != nil {
		return err
	}
	kept := o.noWait
	defer func() {
		if !kept { // also when interrupted
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			err = errors.Join(err, s.CloseInvitation(late, inv.ID))
		}
	}()
	if err := a.printInvitation(inv, o); err != nil {
		kept = false
		return err
	}
	if kept {
		return nil
	}
	r, err := a.followRun(ctx, s, func(r status.PairingRun) bool { return r.Invitation == inv.ID }, func(p status.Pairing) error {
		if i := p.Invitation; i == nil || i.ID != inv.ID || i.State == status.InvitationExpired {
			return fault.New(fault.Item, "code-expired", "%s", a.tell(text.PairExpired))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.outcome(r)
}

func (a *app) printInvitation(inv service.Invited, o showing) error {
	code, err := qr.Draw(inv.Code)
	if err != nil {
		return err
	}
	if o.image != "" {
		if err := writePicture(o.image, code); err != nil {
			return err
		}
	}
	if o.asJSON {
		return a.printJSON(inv)
	}
	left := time.Until(inv.Expires).Round(time.Second).Seconds()
	_, err = io.WriteString(a.Out, code.Terminal()+"\n"+a.tell(text.PairScan)+"\n\n    lanyard pair accept '"+inv.Link+"'\n\n"+
		a.tell(text.PairLasts, "time", span(left))+"\n")
	return err
}

// writePicture writes a code for this user alone: it is as good as the link.
func writePicture(name string, code qr.Code) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.Wrap(fault.Item, "", "write the picture", "", err)
	}
	if err := errors.Join(code.WritePNG(f), f.Close()); err != nil {
		return fault.Wrap(fault.Item, "", "write the picture", "", err)
	}
	return nil
}

// taking is what "pair accept" was asked for.
type taking struct {
	image     string
	yes       bool
	addresses []string
}

func (a *app) pairAccept() *cobra.Command {
	var o taking
	c := &cobra.Command{
		Use: "accept [LINK | -]", Short: "Use an invitation: its link, or a picture of its QR code", Args: takes(0, 1),
		Long: "Use an invitation: its link, or a photo or screenshot of its QR code.\n" +
			"Other users of this computer can see the arguments of a command while it runs; with - the link is read from standard input instead.",
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 1) == (o.image != "") {
				return wrongUsage(c, errors.New("give either a link or --image"))
			}
			link, err := a.invitation(args, o.image)
			if err != nil {
				return err
			}
			return a.withEngine(c.Context(), func(s *web.Client) error { return a.accept(c.Context(), s, link, o) })
		},
	}
	c.Flags().StringVar(&o.image, "image", "", "file with a picture of the QR code: PNG, JPEG or GIF")
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask: for a link whose way you trust")
	c.Flags().StringArrayVar(&o.addresses, "address", nil, "where the other device is, quic://HOST:PORT, beside what the invitation says; may be repeated")
	return c
}

// maxLink bounds what is read from standard input, in bytes.
const maxLink = 4 << 10

// invitation gives the text of an invitation.
func (a *app) invitation(args []string, picture string) (string, error) {
	if picture != "" {
		f, err := os.Open(picture)
		if err != nil {
			return "", fault.Wrap(fault.Item, "", "open the picture", "", err)
		}
		defer f.Close()
		return qr.Read(f)
	}
	if args[0] != "-" {
		return args[0], nil
	}
	line, err := bufio.NewReader(io.LimitReader(a.In, maxLink)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return line, nil
}

func (a *app) accept(ctx context.Context, s *web.Client, link string, o taking) error {
	if id, err := device.Parse(strings.TrimSpace(link)); err == nil {
		return a.acceptID(ctx, s, id, o)
	}
	req := service.Taking{Link: link, Addresses: o.addresses, Picture: o.image != ""}
	if !o.yes {
		seen, err := s.ReadInvitation(ctx, req)
		if err != nil {
			return err
		}
		if err := a.wanted(ctx, seen.Device, seen.Addresses); err != nil {
			return err
		}
	}
	r, err := s.TakeInvitation(ctx, req)
	if err != nil {
		return err
	}
	return a.finishRun(ctx, s, r.ID)
}

// wanted asks whether a device is to be connected, and fails if it is not.
func (a *app) wanted(ctx context.Context, dev string, addresses []string) error {
	if !a.someone() {
		return a.errNobody()
	}
	group, _, _ := strings.Cut(dev, "-")
	pairs := []string{"device", group}
	if len(addresses) > 0 {
		pairs = append(pairs, "address", strings.Join(addresses, " "))
	}
	yes, err := a.yes(ctx, a.tell(text.PairConnect, pairs...))
	if err == nil && !yes {
		err = fault.New(fault.Item, "", "%s", a.tell(text.PairLeft))
	}
	return err
}

// acceptID adds a device of which nothing but the ID is known, such as a code
// of Syncthing's holds: that device is known to be the right one, and this one
// is not known there.
func (a *app) acceptID(ctx context.Context, s *web.Client, id device.ID, o taking) error {
	if !o.yes {
		if err := a.wanted(ctx, id.String(), o.addresses); err != nil {
			return err
		}
	}
	added, err := s.AddDevice(ctx, service.NewPeer{ID: id.String(), Addresses: o.addresses})
	if err != nil {
		return err
	}
	self, err := s.Identity(ctx)
	if err != nil {
		return err
	}
	return a.say("%s", a.tell(text.PairOneSided, "device", added.Name, "self", self.ID, "group", self.ID[len(self.ID)-7:]))
}

// finishRun follows a run that was begun here.
func (a *app) finishRun(ctx context.Context, s *web.Client, id string) error {
	r, err := a.followRun(ctx, s, func(r status.PairingRun) bool { return r.ID == id }, func(status.Pairing) error {
		return nil // the state may be older than the run, which is shown for a minute after its end
	})
	if err != nil {
		return err
	}
	return a.outcome(r)
}

func (a *app) pairNearby() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "nearby [DEVICE]", Short: "List the devices nearby, or compare six digits with one of them", Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				if len(args) == 0 {
					return a.nearby(c.Context(), s, asJSON)
				}
				return a.choose(c.Context(), s, args[0])
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// lookFor is how long devices nearby may take to be heard.
const lookFor = 3 * time.Second

// nearby opens the pane, so that the others see this device too, and lists what
// is heard after a while.
func (a *app) nearby(ctx context.Context, s *web.Client, asJSON bool) error {
	if err := s.OpenPane(ctx); err != nil {
		return err
	}
	wait := time.NewTimer(lookFor)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	snap, err := s.Status(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(snap.Pairing.Nearby)
	}
	for _, n := range snap.Pairing.Nearby {
		group, _, _ := strings.Cut(n.ID, "-")
		switch {
		case n.Name == "":
			err = a.say("%s", a.tell(text.PairSyncthing, "device", group, "id", n.ID))
		case n.SameName && n.ID == "":
			err = a.say("%s  %s", oneLine(n.Name), a.tell(text.PairMaybeSame))
		case n.SameName:
			err = a.say("%s  %s", oneLine(n.Name), a.tell(text.PairSameName, "name", n.Name))
		default:
			err = a.say("%s", oneLine(n.Name))
		}
		if err != nil {
			return err
		}
	}
	if len(snap.Pairing.Nearby) == 0 {
		if err := a.say("%s", a.tell(text.PairNoneNearby)); err != nil {
			return err
		}
	}
	return a.say("%s", a.tell(text.PairPaneOpen))
}

func (a *app) choose(ctx context.Context, s *web.Client, name string) error {
	if !a.someone() {
		return a.errNobody()
	}
	if err := s.OpenPane(ctx); err != nil {
		return err
	}
	r, err := a.chosen(ctx, s, name)
	if err != nil {
		return err
	}
	return a.finishRun(ctx, s, r.ID)
}

// chosen begins a run with a device nearby, which may take a moment to be heard.
func (a *app) chosen(ctx context.Context, s *web.Client, name string) (status.PairingRun, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var r status.PairingRun
	found, last := errors.New("found"), error(nil)
	err := s.Follow(ctx, func(service.SnapshotEvent) error {
		if r, last = s.ChooseNearby(ctx, service.Choice{Device: name}); last == nil {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return r, nil
	}
	return r, cmp.Or(last, err)
}

func (a *app) pairList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List what waits for an answer", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				snap, err := s.Status(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(snap.Pairing)
				}
				return a.printQuestions(snap.Pairing)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) printQuestions(p status.Pairing) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	n := 0
	for _, r := range p.Runs {
		if r.State != status.PairingAsks {
			continue
		}
		n++
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, oneLine(who(r)), a.tell(text.PairCompare, "digits", r.Digits))
	}
	for _, r := range p.Requests {
		n++
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, oneLine(cmp.Or(r.Name, r.ID)), a.tell(text.PairRequest, given("address", r.Address)...))
	}
	if n == 0 {
		return a.say("%s", a.tell(text.PairNothing))
	}
	return w.Flush()
}

func (a *app) pairAnswer(use, short string, yes bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " ID", Short: short, Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withEngine(c.Context(), func(s *web.Client) error {
				return s.AnswerPairing(c.Context(), args[0], service.Reply{Yes: yes})
			})
		},
	}
}

// given is a value for a sentence, or none where it is empty.
func given(name, value string) []string {
	if value == "" {
		return nil
	}
	return []string{name, value}
}
