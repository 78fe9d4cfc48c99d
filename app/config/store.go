package config

import (
	"errors"
	"sync"
	"time"

	"lanyard/sync/fault"
)

// Store is an open home: its lock held, its configuration and identity read.
// All methods may be called from any goroutine.
type Store struct {
	home     Home
	lock     *lock
	identity Identity

	// turn holds one token: whoever has taken it may write the file and call
	// the follower, so that both see the changes in one order.
	turn chan struct{}

	mu       sync.Mutex // guards what follows, memory only
	config   Config
	follower func(Config)
}

// Open makes the home if it is not there, takes its lock and reads it. It
// fails at once with ErrLocked where another program has the lock, and with a
// fault.Node where the home cannot be used. now is the start of the validity
// of an identity that has to be made.
func Open(h Home, now time.Time) (*Store, error) {
	if err := h.create(); err != nil {
		return nil, err
	}
	l, err := h.lock()
	if err != nil {
		return nil, err
	}
	s := &Store{home: h, lock: l, turn: make(chan struct{}, 1)}
	if s.config, err = h.load(); err == nil {
		s.identity, err = h.identity(s.config, now)
	}
	if err != nil {
		return nil, errors.Join(err, l.release())
	}
	return s, nil
}

// Close gives the lock back. The Store is of no use afterwards.
func (s *Store) Close() error {
	return fault.Wrap(fault.Node, "", "release lock", "", s.lock.release())
}

// Home gives the home that is open.
func (s *Store) Home() Home { return s.home }

// Identity gives this device's identity.
func (s *Store) Identity() Identity { return s.identity }

// Announce writes into the lock where this program can be reached.
func (s *Store) Announce(control string) error { return s.lock.announce(control) }

// Config gives the present configuration.
func (s *Store) Config() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config
}

// Update changes the configuration to what edit makes of it. When it returns
// nil, the change is durable and the follower has seen it; an error means that
// nothing was changed. edit must not call the Store.
func (s *Store) Update(edit func(Config) (Config, error)) error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	next, err := edit(s.Config())
	if err != nil {
		return err
	}
	if err := s.home.save(next); err != nil {
		return err
	}
	s.mu.Lock()
	s.config = next
	follower := s.follower
	s.mu.Unlock()
	if follower != nil {
		follower(next)
	}
	return nil
}

// Follow calls f with the present configuration and then with every new one,
// in order, each before its Update returns. There is one follower: a second
// call replaces it.
func (s *Store) Follow(f func(Config)) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	s.follower = f
	now := s.config
	s.mu.Unlock()
	f(now)
}
