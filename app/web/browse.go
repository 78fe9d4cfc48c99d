package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/sync/status"
)

func registerBrowse(api huma.API, s Service) {
	huma.Register(api, operation("list-files", http.MethodGet, "/folders/{folder}/files", "A part of what a directory of a folder holds"),
		func(ctx context.Context, in *struct {
			FolderParam
			Path  string `query:"path" doc:"of the directory, with slashes; default: the whole folder's"`
			After string `query:"after" doc:"where the part begins, as the one before said"`
		},
		) (*answer[status.Listing], error) {
			return answered(s.List(ctx, in.Folder, in.Path, in.After))
		})
	huma.Register(api, operation("list-needed", http.MethodGet, "/folders/{folder}/needed", "A part of what is still to come to a folder, with whole paths"),
		func(ctx context.Context, in *struct {
			FolderParam
			After string `query:"after" doc:"where the part begins, as the one before said"`
		},
		) (*answer[status.Listing], error) {
			return answered(s.Needed(ctx, in.Folder, in.After))
		})
}

// List gives a part of what a directory of a folder holds.
func (c *Client) List(ctx context.Context, folder, path, after string) (status.Listing, error) {
	return get[status.Listing](ctx, c, at("folders", folder, "files")+"?"+url.Values{"path": {path}, "after": {after}}.Encode())
}

// Needed gives a part of what is still to come to a folder.
func (c *Client) Needed(ctx context.Context, folder, after string) (status.Listing, error) {
	return get[status.Listing](ctx, c, at("folders", folder, "needed")+"?"+url.Values{"after": {after}}.Encode())
}
