package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lanyard/app/service"
	"lanyard/sync/status"
)

func registerRules(api huma.API, s Service) {
	huma.Register(api, operation("rules", http.MethodGet, "/folders/{folder}/rules", "A folder's own ignore rules"),
		func(ctx context.Context, in *FolderParam) (*answer[status.Rules], error) {
			return answered(s.Rules(ctx, in.Folder))
		})
	huma.Register(api, operation("try-rules", http.MethodPost, "/folders/{folder}/rules", "What rules would leave out; changes nothing"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.RulesTrial
		},
		) (*answer[status.RulesTried], error) {
			return answered(s.TryRules(ctx, in.Folder, in.Body))
		})
	huma.Register(api, operation("set-rules", http.MethodPut, "/folders/{folder}/rules", "Write a folder's own ignore rules, in place of those of the token"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body status.Rules
		},
		) (*answer[service.Settled], error) {
			return answered(s.SetRules(ctx, in.Folder, in.Body))
		})
}

// Rules gives a folder's own ignore rules.
func (c *Client) Rules(ctx context.Context, folder string) (status.Rules, error) {
	return get[status.Rules](ctx, c, at("folders", folder, "rules"))
}

// TryRules tells what rules would leave out.
func (c *Client) TryRules(ctx context.Context, folder string, req service.RulesTrial) (status.RulesTried, error) {
	return send[status.RulesTried](ctx, c, http.MethodPost, at("folders", folder, "rules"), req)
}

// SetRules writes a folder's own ignore rules.
func (c *Client) SetRules(ctx context.Context, folder string, rules status.Rules) (service.Settled, error) {
	return send[service.Settled](ctx, c, http.MethodPut, at("folders", folder, "rules"), rules)
}
