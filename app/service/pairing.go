package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"lanyard/app/pairing"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// What is remembered of devices that asked to connect while nobody here looked.
const (
	maxRequests    = 8
	requestsExpire = 24 * time.Hour
)

// NewInvitation asks for an invitation.
type NewInvitation struct {
	Yes bool `json:"yes,omitempty" doc:"whoever uses it is connected without a further question: its way is trusted"`
}

// Invited is an invitation that was just opened. It is told once: whoever knows
// the link can become a peer.
type Invited struct {
	ID      string    `json:"id" doc:"by which the status names it"`
	Link    string    `json:"link"`
	Code    string    `json:"code" doc:"what a QR code of it holds"`
	Device  string    `json:"device" doc:"ID of this device"`
	Expires time.Time `json:"expires"`
}

// Taking asks to use an invitation.
type Taking struct {
	Link      string   `json:"link" doc:"or the text of a QR code"`
	Addresses []string `json:"addresses,omitempty" doc:"where its device is, beside what the invitation says, such as quic://192.0.2.1:22000"`
	// Picture is noted with the device: how it was verified.
	Picture bool `json:"picture,omitempty" doc:"it was read from a picture of its code"`
}

// Reading is what an invitation says, of which its secret is no part.
type Reading struct {
	Device    string    `json:"device" doc:"ID of the device that shows it"`
	Addresses []string  `json:"addresses" doc:"where it says that its device is, of those that may be dialed"`
	Expires   time.Time `json:"expires" doc:"by that device's clock"`
}

// Choice asks to compare numbers with a device nearby.
type Choice struct {
	Device string `json:"device" doc:"its key, its name, or the first group of its ID"`
}

// Reply answers a question of pairing.
type Reply struct {
	Yes    bool   `json:"yes"`
	Digits string `json:"digits,omitempty" doc:"the one that was chosen, where there were several"`
}

// OpenPane lets devices nearby see this one's name and ask to compare numbers,
// for two minutes; asked again, for two more.
func (s *Service) OpenPane(context.Context) error { return s.desk.OpenPane() }

// ClosePane ends that.
func (s *Service) ClosePane(context.Context) error {
	s.desk.ClosePane()
	return nil
}

// OpenInvitation opens an invitation, in place of one that is open.
func (s *Service) OpenInvitation(_ context.Context, req NewInvitation) (Invited, error) {
	inv, err := s.desk.Invite(req.Yes)
	return Invited{
		ID: inv.ID, Link: inv.Link, Code: inv.Code, Device: s.store.Identity().ID.String(), Expires: inv.Expires.UTC(),
	}, err
}

// CloseInvitation makes an invitation worthless. One that is not open is no
// error.
func (s *Service) CloseInvitation(_ context.Context, id string) error {
	s.desk.CloseInvitation(id)
	return nil
}

// ReadInvitation tells what an invitation says, so that a person can be asked
// before anything is dialed.
func (s *Service) ReadInvitation(_ context.Context, req Taking) (Reading, error) {
	inv, err := pairing.ParseInvitation(req.Link)
	if err != nil {
		return Reading{}, err
	}
	out := Reading{Device: inv.ID.String(), Addresses: slices.Clone(req.Addresses), Expires: inv.Expires.UTC()}
	for _, h := range inv.Hints {
		out.Addresses = append(out.Addresses, "quic://"+h.String())
	}
	if out.Addresses == nil {
		out.Addresses = []string{}
	}
	return out, nil
}

// TakeInvitation begins to use an invitation; the status tells how it goes on.
func (s *Service) TakeInvitation(_ context.Context, req Taking) (status.PairingRun, error) {
	how := status.ByLink
	if req.Picture {
		how = status.ByPicture
	}
	return s.desk.Accept(req.Link, req.Addresses, how)
}

// ChooseNearby begins to compare numbers with a device nearby; the status tells
// how it goes on.
func (s *Service) ChooseNearby(_ context.Context, req Choice) (status.PairingRun, error) {
	return s.desk.Choose(req.Device)
}

// AllowNumbers lets devices be paired by number again after too many tries.
func (s *Service) AllowNumbers(context.Context) error { return s.desk.AllowNumbers() }

// AnswerPairing answers a run that asks, or a device that asked to connect: the
// ID that the status gives for it, or the device's own.
func (s *Service) AnswerPairing(_ context.Context, id string, reply Reply) error {
	for _, asked := range s.requests(s.engine.Snapshot().Offers) {
		if !strings.EqualFold(asked.ID, id) && asked.Device != id {
			continue
		}
		dev, err := parseID(asked.Device)
		if err != nil {
			return err
		}
		if reply.Yes {
			return s.desk.Welcome(dev, asked.Name, asked.Address)
		}
		return s.desk.TurnAway(dev, asked.Name)
	}
	_, err := s.desk.Answer(id, reply.Yes, reply.Digits)
	return err
}

// requests gives the devices that asked to connect and were not turned away.
func (s *Service) requests(offers []status.Offer) []status.PairingAsked {
	out := []status.PairingAsked{}
	c, oldest := s.store.Config(), time.Now().Add(-requestsExpire)
	for _, o := range slices.Backward(offers) { // the newest first
		id, err := device.Parse(o.Device)
		if err != nil || o.Folder != "" || o.Time.Before(oldest) || c.WasRemoved(id) || len(out) == maxRequests {
			continue
		}
		group, _, _ := strings.Cut(o.Device, "-")
		out = append(out, status.PairingAsked{ID: group, Device: o.Device, Name: o.Name, Address: o.Address, Time: o.Time})
	}
	return out
}

// pairing gives what is shown of pairing, and what is wrong with it.
func (s *Service) pairing(offers []status.Offer) (status.Pairing, []status.Problem) {
	out, problems := s.desk.Snapshot()
	out.Requests = s.requests(offers)
	for i := range out.Runs {
		out.Runs[i].Problem = s.wordedPointer(out.Runs[i].Problem)
	}
	return out, problems
}
