package service

import (
	"context"

	"lanyard/app/config"
)

// CurrentNetwork stands for the network that this computer is in, where a
// network is to be named.
const CurrentNetwork = "current"

// Networks lists the networks that this computer is in, the main one first, and
// then those that a person said something about.
func (s *Service) Networks(context.Context) ([]Network, error) {
	c := s.store.Config()
	out := []Network{}
	for _, n := range s.networks() {
		entry := Network{ID: n.ID, Name: n.Name, Here: true, Main: n.Main, Trust: Unasked}
		if said, ok := c.FindNetwork(n.ID); ok {
			entry.Trust = trustOf(said)
		}
		out = append(out, entry)
	}
	for _, n := range c.Networks {
		if !listed(out, n.ID) {
			out = append(out, Network{ID: n.ID, Name: n.Name, Trust: trustOf(n)})
		}
	}
	return out, nil
}

func trustOf(n config.Network) Trust {
	if n.Trusted {
		return Trusted
	}
	return Untrusted
}

func listed(list []Network, id string) bool {
	for _, n := range list {
		if n.ID == id {
			return true
		}
	}
	return false
}

// TrustNetwork notes whether a network is trusted: one that Networks lists, by
// its ID or its name, or CurrentNetwork.
func (s *Service) TrustNetwork(ctx context.Context, which string, said NetworkTrust) (Network, error) {
	list, err := s.Networks(ctx)
	if err != nil {
		return Network{}, err
	}
	n, err := findNetwork(list, which)
	if err != nil {
		return Network{}, err
	}
	entry := config.Network{ID: n.ID, Name: n.Name, Trusted: said.Trusted}
	err = s.store.Update(func(c config.Config) (config.Config, error) { return c.WithNetwork(entry) })
	n.Trust = trustOf(entry)
	return n, err
}

func findNetwork(list []Network, which string) (Network, error) {
	var found []Network
	for _, n := range list {
		if n.ID == which && which != "" {
			return n, nil
		}
		if n.Name == which || which == CurrentNetwork && n.Main {
			found = append(found, n)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Network{}, &config.Refusal{
			Reason: config.Invalid, Item: which,
			Text:   "more than one network is called " + which,
			Remedy: `name the one you mean by its ID from "lanyard network list --json"`,
		}
	case which == CurrentNetwork:
		return Network{}, &config.Refusal{
			Reason: config.NotFound, Code: "network-none",
			Text: "this computer is in no network that could be recognised again",
		}
	}
	return Network{}, &config.Refusal{
		Reason: config.NotFound, Code: "network-unknown", Item: which,
		Text:   "there is no network " + which,
		Remedy: `see "lanyard network list"`,
	}
}
