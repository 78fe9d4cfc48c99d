package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/app/service"
	"lanyard/sync/status"
)

func registerActivity(api huma.API, s Service) {
	huma.Register(api, operation("activity", http.MethodGet, "/activity", "A part of what happened since the start, the newest first"),
		func(ctx context.Context, in *service.ActivityRequest) (*answer[status.Activity], error) {
			return answered(s.Activity(ctx, *in))
		})
}

// Activity gives a part of what happened since the start, the newest first.
func (c *Client) Activity(ctx context.Context, req service.ActivityRequest) (status.Activity, error) {
	query := url.Values{}
	for name, value := range map[string]string{
		"before": req.Before, "folder": req.Folder, "device": req.Device, "kind": req.Kind, "search": req.Search,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return get[status.Activity](ctx, c, "/activity?"+query.Encode())
}
