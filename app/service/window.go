package service

import "context"

// Closed is what came of closing the window.
type Closed struct {
	Told bool `json:"told" doc:"the engine told the person that syncing goes on"`
}

// WindowClosed has the engine tell the person that syncing goes on without the
// window, and where that is found. Whoever asks remembers that it was told.
func (s *Service) WindowClosed(ctx context.Context) (Closed, error) {
	return Closed{Told: s.tell != nil && s.tell(ctx)}, nil
}

// TellBy says how the person is told that syncing goes on; tell reports whether
// they were. It is called before Run, if at all.
func (s *Service) TellBy(tell func(context.Context) bool) { s.tell = tell }
