package engine

import (
	"context"

	"lanyard/sync/bep"
	"lanyard/sync/folder"
	"lanyard/sync/status"
)

// runnerOf gives a folder's runner where there is one, stopped or not.
func (e *Engine) runnerOf(id bep.FolderID) (*folder.Runner, error) {
	if f := e.folder(id); f != nil && f.runner != nil {
		return f.runner, nil
	}
	return e.running(id)
}

// Rules gives a folder's own ignore rules.
func (e *Engine) Rules(_ context.Context, id bep.FolderID) (status.Rules, error) {
	r, err := e.runnerOf(id)
	if err != nil {
		return status.Rules{}, err
	}
	text, token, err := r.RulesText()
	return status.Rules{Text: text, Token: token}, err
}

// TryRules tells what rules would leave out, and changes nothing.
func (e *Engine) TryRules(ctx context.Context, id bep.FolderID, text string) (status.RulesTried, error) {
	out := status.RulesTried{Names: []string{}}
	r, err := e.runnerOf(id)
	if err != nil {
		return out, err
	}
	tried, err := r.TryRules(ctx, text)
	if err != nil {
		return out, err
	}
	out.Files, out.Dirs, out.Bytes, out.Of = tried.Files, tried.Dirs, tried.Bytes, tried.Of
	for _, name := range tried.Names {
		out.Names = append(out.Names, name.String())
	}
	if tried.Err != nil {
		p := ofFolder(e.folder(id).spec, tried.Err)
		out.Problem = &p
	}
	return out, nil
}

// SetRules writes a folder's own ignore rules in place of those that token
// stands for, and has the folder looked through by them. done is false where they
// are others now: nothing was written then.
func (e *Engine) SetRules(_ context.Context, id bep.FolderID, text, token string) (done bool, err error) {
	r, err := e.runnerOf(id)
	if err != nil {
		return false, err
	}
	if done, err = r.SetRules(text, token); done {
		r.Scan(nil, func(error) {}) // how it goes on is told by the status
	}
	return done, e.named(id, err)
}
