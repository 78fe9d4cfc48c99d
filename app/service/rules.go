package service

import (
	"context"

	"lanyard/sync/bep"
	"lanyard/sync/status"
)

// RulesTrial asks what rules would do.
type RulesTrial struct {
	Text string `json:"text" maxLength:"1048576"`
}

// Rules gives a folder's own ignore rules.
func (s *Service) Rules(ctx context.Context, folder string) (status.Rules, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.Rules{}, err
	}
	out, err := s.engine.Rules(ctx, f.ID)
	return out, named(err, codeNotRunning)
}

// TryRules tells what rules would leave out, and changes nothing.
func (s *Service) TryRules(ctx context.Context, folder string, req RulesTrial) (status.RulesTried, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.RulesTried{}, err
	}
	out, err := s.engine.TryRules(ctx, f.ID, req.Text)
	out.Problem = s.wordedPointer(out.Problem)
	return out, named(err, codeRulesRefused)
}

// SetRules writes a folder's own ignore rules, in place of those that the token
// stands for.
func (s *Service) SetRules(ctx context.Context, folder string, rules status.Rules) (Settled, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return Settled{}, err
	}
	done, err := s.engine.SetRules(ctx, f.ID, rules.Text, rules.Token)
	return Settled{done}, named(err, codeRulesRefused)
}
