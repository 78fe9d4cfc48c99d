package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/app/service"
	"lanyard/sync/status"
)

func registerConflicts(api huma.API, s Service) {
	huma.Register(api, operation("list-conflicts", http.MethodGet, "/folders/{folder}/conflicts", "A part of the files that two devices changed at once"),
		func(ctx context.Context, in *struct {
			FolderParam
			PartParams
			Find string `query:"find" doc:"only paths with this in them, whatever its case"`
		},
		) (*answer[status.Conflicts], error) {
			return answered(s.Conflicts(ctx, in.Folder, in.window(in.Find)))
		})
	huma.Register(api, operation("show-conflict", http.MethodGet, "/folders/{folder}/conflict", "The two versions of a file, with their text where it is short"),
		func(ctx context.Context, in *FileParams) (*answer[status.TwoVersions], error) {
			return answered(s.Conflict(ctx, in.Folder, in.Path))
		})
	huma.Register(api, operation("settle-conflict", http.MethodPost, "/folders/{folder}/conflicts", "Keep one of two versions, or both"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.Settling
		},
		) (*answer[service.Settled], error) {
			return answered(s.Settle(ctx, in.Folder, in.Body))
		})
}

// Conflicts gives a part of the files of a folder that two devices changed at once.
func (c *Client) Conflicts(ctx context.Context, folder string, w status.Window) (status.Conflicts, error) {
	return get[status.Conflicts](ctx, c, at("folders", folder, "conflicts")+inPart(w, url.Values{}))
}

// Conflict gives the two versions of a file.
func (c *Client) Conflict(ctx context.Context, folder, path string) (status.TwoVersions, error) {
	return get[status.TwoVersions](ctx, c, at("folders", folder, "conflict")+"?"+url.Values{"path": {path}}.Encode())
}

// Settle keeps one of two versions, or both.
func (c *Client) Settle(ctx context.Context, folder string, req service.Settling) (service.Settled, error) {
	return send[service.Settled](ctx, c, http.MethodPost, at("folders", folder, "conflicts"), req)
}
