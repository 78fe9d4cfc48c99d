package service

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lanyard/app/config"
	"lanyard/app/node"
)

// inNetworks is a service whose computer is in networks.
func inNetworks(t *testing.T, here ...node.Network) *Service {
	t.Helper()
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := config.Open(home, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &Service{Indexes: &Indexes{NewSettings(store), nil}, networks: func() []node.Network { return here }}
}

func TestNetworksAreListedAndTrusted(t *testing.T) {
	ctx := context.Background()
	s := inNetworks(t, node.Network{ID: "1", Name: "home", Main: true}, node.Network{ID: "2", Name: "vpn"}, node.Network{Name: "eth9"})
	for which, trusted := range map[string]bool{CurrentNetwork: true, "vpn": false} {
		if _, err := s.TrustNetwork(ctx, which, NetworkTrust{trusted}); err != nil {
			t.Fatalf("%s: %v", which, err)
		}
	}
	s.networks = func() []node.Network {
		return []node.Network{{ID: "3", Name: "cafe", Main: true}, {ID: "1", Name: "home again"}}
	}
	got, err := s.Networks(ctx)
	want := []Network{
		{ID: "3", Name: "cafe", Here: true, Main: true, Trust: Unasked},
		{ID: "1", Name: "home again", Here: true, Trust: Trusted},
		{ID: "2", Name: "vpn", Trust: Untrusted},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if n, err := s.TrustNetwork(ctx, "2", NetworkTrust{true}); err != nil || n.Trust != Trusted || n.Here {
		t.Errorf("one by its ID: %+v, %v", n, err)
	}
}

func TestNetworksThatCannotBeTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		here   []node.Network
		which  string
		reason config.Reason
	}{
		"none":                         {nil, CurrentNetwork, config.NotFound},
		"an unknown one":               {[]node.Network{{ID: "1", Name: "home", Main: true}}, "cafe", config.NotFound},
		"nothing named":                {[]node.Network{{ID: "1", Name: "home", Main: true}}, "", config.NotFound},
		"two of one name":              {[]node.Network{{ID: "1", Name: "x", Main: true}, {ID: "2", Name: "x"}}, "x", config.Invalid},
		"one that is not recognised":   {[]node.Network{{Name: "eth0"}}, "eth0", config.Invalid},
		"no main one among those here": {[]node.Network{{Name: "eth0"}}, CurrentNetwork, config.NotFound},
	} {
		_, err := inNetworks(t, c.here...).TrustNetwork(context.Background(), c.which, NetworkTrust{true})
		var refusal *config.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}
