package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/app/service"
	"lanyard/sync/status"
)

// InvitationParam is the input of an operation on an invitation.
type InvitationParam struct {
	ID string `path:"id" doc:"as the status names it"`
}

func registerPairing(api huma.API, s Service) {
	huma.Register(api, operation("open-pane", http.MethodPut, "/pairing/pane", "Be seen by devices nearby for two minutes, or for two more"),
		func(ctx context.Context, _ *none) (*struct{}, error) {
			return done(s.OpenPane(ctx))
		})
	huma.Register(api, operation("close-pane", http.MethodDelete, "/pairing/pane", "Be seen no more"),
		func(ctx context.Context, _ *none) (*struct{}, error) {
			return done(s.ClosePane(ctx))
		})
	huma.Register(api, operation("open-invitation", http.MethodPost, "/pairing/invitation", "Open an invitation, in place of the one before"),
		func(ctx context.Context, in *struct{ Body service.NewInvitation }) (*answer[service.Invited], error) {
			return answered(s.OpenInvitation(ctx, in.Body))
		})
	huma.Register(api, operation("close-invitation", http.MethodDelete, "/pairing/invitation/{id}", "Make an invitation worthless"),
		func(ctx context.Context, in *InvitationParam) (*struct{}, error) {
			return done(s.CloseInvitation(ctx, in.ID))
		})
	huma.Register(api, operation("read-invitation", http.MethodPost, "/pairing/read", "What an invitation says, before it is used"),
		func(ctx context.Context, in *struct{ Body service.Taking }) (*answer[service.Reading], error) {
			return answered(s.ReadInvitation(ctx, in.Body))
		})
	huma.Register(api, operation("take-invitation", http.MethodPost, "/pairing/accept", "Begin to use an invitation; the status tells how it goes on"),
		func(ctx context.Context, in *struct{ Body service.Taking }) (*answer[status.PairingRun], error) {
			return answered(s.TakeInvitation(ctx, in.Body))
		})
	huma.Register(api, operation("choose-nearby", http.MethodPost, "/pairing/nearby", "Begin to compare numbers with a device nearby; the status tells how it goes on"),
		func(ctx context.Context, in *struct{ Body service.Choice }) (*answer[status.PairingRun], error) {
			return answered(s.ChooseNearby(ctx, in.Body))
		})
	huma.Register(api, operation("answer-pairing", http.MethodPost, "/pairing/questions/{id}", "Answer a run that asks, or a device that asked to connect"),
		func(ctx context.Context, in *struct {
			ID   string `path:"id" doc:"of the run or request, or the ID of the device that asked"`
			Body service.Reply
		},
		) (*struct{}, error) {
			return done(s.AnswerPairing(ctx, in.ID, in.Body))
		})
	huma.Register(api, operation("allow-numbers", http.MethodPost, "/pairing/allow-numbers", "Let devices be paired by number again after too many tries"),
		func(ctx context.Context, _ *none) (*struct{}, error) {
			return done(s.AllowNumbers(ctx))
		})
}

// OpenPane lets devices nearby see this one for two minutes.
func (c *Client) OpenPane(ctx context.Context) error {
	return c.do(ctx, http.MethodPut, "/pairing/pane", nil, nil)
}

// ClosePane ends that.
func (c *Client) ClosePane(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/pairing/pane", nil, nil)
}

// OpenInvitation opens an invitation.
func (c *Client) OpenInvitation(ctx context.Context, req service.NewInvitation) (service.Invited, error) {
	return send[service.Invited](ctx, c, http.MethodPost, "/pairing/invitation", req)
}

// CloseInvitation makes an invitation worthless.
func (c *Client) CloseInvitation(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, at("pairing", "invitation", id), nil, nil)
}

// ReadInvitation tells what an invitation says.
func (c *Client) ReadInvitation(ctx context.Context, req service.Taking) (service.Reading, error) {
	return send[service.Reading](ctx, c, http.MethodPost, "/pairing/read", req)
}

// TakeInvitation begins to use an invitation.
func (c *Client) TakeInvitation(ctx context.Context, req service.Taking) (status.PairingRun, error) {
	return send[status.PairingRun](ctx, c, http.MethodPost, "/pairing/accept", req)
}

// ChooseNearby begins to compare numbers with a device nearby.
func (c *Client) ChooseNearby(ctx context.Context, req service.Choice) (status.PairingRun, error) {
	return send[status.PairingRun](ctx, c, http.MethodPost, "/pairing/nearby", req)
}

// AnswerPairing answers what waits for an answer.
func (c *Client) AnswerPairing(ctx context.Context, id string, reply service.Reply) error {
	return c.do(ctx, http.MethodPost, at("pairing", "questions", id), reply, nil)
}

// AllowNumbers lets devices be paired by number again.
func (c *Client) AllowNumbers(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/pairing/allow-numbers", nil, nil)
}
