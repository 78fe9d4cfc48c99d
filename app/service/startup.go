package service

import (
	"context"

	"lanyard/app/config"
	"lanyard/app/login"
)

// Startup says when the engine is started by itself.
type Startup struct {
	Login bool `json:"login" doc:"when this user logs in"`
}

// Startup tells when the engine is started by itself.
func (s *Service) Startup(context.Context) (Startup, error) {
	e, err := s.atLogin()
	if err != nil {
		return Startup{}, err
	}
	on, err := e.IsSet()
	if err != nil {
		return Startup{}, noStartup(err)
	}
	return Startup{Login: on}, nil
}

// ChangeStartup says when the engine is started by itself, from the next login
// on.
func (s *Service) ChangeStartup(ctx context.Context, to Startup) (Startup, error) {
	e, err := s.atLogin()
	if err != nil {
		return Startup{}, err
	}
	if err := e.Set(to.Login); err != nil {
		return Startup{}, noStartup(err)
	}
	return s.Startup(ctx)
}

func (s *Service) atLogin() (login.Entry, error) {
	home := s.store.Home()
	dir := home.Dir()
	if home.Usual() {
		dir = ""
	}
	e, err := login.Engine(dir, home.Digest())
	if err != nil {
		return e, noStartup(err)
	}
	return e, nil
}

func noStartup(cause error) error {
	return &config.Refusal{
		Reason: config.Unavailable, Code: "startup-unknown",
		Text:   "this system does not say what is started at login: " + cause.Error(),
		Remedy: "start the engine by the means of the system",
	}
}
