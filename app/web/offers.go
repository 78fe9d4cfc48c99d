package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/app/service"
	"lanyard/sync/status"
)

func registerOffers(api huma.API, s Service) {
	huma.Register(api, operation("list-offers", http.MethodGet, "/offers", "The folders that other devices offer"),
		func(ctx context.Context, _ *none) (*answer[[]status.Offer], error) {
			return answered(s.Offers(ctx))
		})
	huma.Register(api, operation("answer-offer", http.MethodPost, "/offers/{folder}", "Refuse a folder that is offered, or take that back"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.OfferAnswer
		},
		) (*answer[[]status.Offer], error) {
			return answered(s.AnswerOffer(ctx, in.Folder, in.Body))
		})
	huma.Register(api, operation("preview-folder", http.MethodPost, "/offers/{folder}/preview", "What joining a folder that is offered would do; changes nothing"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.PreviewRequest
		},
		) (*answer[status.Preview], error) {
			return answered(s.Preview(ctx, in.Folder, in.Body))
		})
	huma.Register(api, operation("accept-folder", http.MethodPost, "/folders/{folder}/accept", "Join a folder that is offered"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.Acceptance
		},
		) (*answer[service.Accepted], error) {
			return answered(s.Accept(ctx, in.Folder, in.Body))
		})
}
