package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/sync/status"
)

// PartParams say which part of a list is asked for.
type PartParams struct {
	From int `query:"from" minimum:"0" doc:"the place of its first row, from 0"`
	Most int `query:"most" minimum:"1" maximum:"1000" default:"200" doc:"how many rows at most"`
}

func (p PartParams) window(find string) status.Window {
	return status.Window{From: p.From, Most: p.Most, Find: find}
}

func registerBrowse(api huma.API, s Service) {
	huma.Register(api, operation("list-files", http.MethodGet, "/folders/{folder}/files", "A part of what a directory of a folder holds"),
		func(ctx context.Context, in *struct {
			FolderParam
			PartParams
			Path string `query:"path" doc:"of the directory, with slashes; default: the whole folder's"`
			Find string `query:"find" doc:"only names with this in them, whatever its case"`
		},
		) (*answer[status.Listing], error) {
			return answered(s.List(ctx, in.Folder, in.Path, in.window(in.Find)))
		})
	huma.Register(api, operation("list-needed", http.MethodGet, "/folders/{folder}/needed", "A part of what is still to come to a folder, with whole paths"),
		func(ctx context.Context, in *struct {
			FolderParam
			PartParams
		},
		) (*answer[status.Listing], error) {
			return answered(s.Needed(ctx, in.Folder, in.window("")))
		})
}

// inPart gives the query of a part of a list.
func inPart(w status.Window, more url.Values) string {
	more.Set("from", strconv.Itoa(w.From))
	if w.Most > 0 {
		more.Set("most", strconv.Itoa(w.Most))
	}
	if w.Find != "" {
		more.Set("find", w.Find)
	}
	return "?" + more.Encode()
}

// List gives a part of what a directory of a folder holds.
func (c *Client) List(ctx context.Context, folder, path string, w status.Window) (status.Listing, error) {
	return get[status.Listing](ctx, c, at("folders", folder, "files")+inPart(w, url.Values{"path": {path}}))
}

// Needed gives a part of what is still to come to a folder.
func (c *Client) Needed(ctx context.Context, folder string, w status.Window) (status.Listing, error) {
	return get[status.Listing](ctx, c, at("folders", folder, "needed")+inPart(w, url.Values{}))
}
