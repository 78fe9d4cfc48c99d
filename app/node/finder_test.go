package node

import (
	"testing"

	"lanyard/app/config"
	"lanyard/discovery/network"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
)

func TestANetworkIsAskedAboutOnceAndOnlyWhereItMatters(t *testing.T) {
	home := []network.Link{{Interface: "eth0", ID: "1234", Name: "home"}}
	shares := config.Config{Folders: []config.Folder{{ID: "a", Shared: []device.ID{{1}}}}}
	answered, err := shares.WithNetwork(config.Network{ID: "1234", Name: "home"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config     config.Config
		links      []network.Link
		connecting bool
		asked      bool
	}{
		"a folder is shared":                {shares, home, false, true},
		"a device is being connected":       {config.Config{}, home, true, true},
		"nothing is shared":                 {config.Config{Folders: []config.Folder{{ID: "a"}}}, home, false, false},
		"the answer was no":                 {answered, home, true, false},
		"another network":                   {answered, []network.Link{{ID: "5678", Name: "cafe"}}, false, true},
		"no network":                        {shares, nil, false, false},
		"one that cannot be recognised":     {shares, []network.Link{{Interface: "eth0"}}, false, false},
		"one whose router is not known yet": {shares, []network.Link{{Interface: "eth0", Waiting: true}}, false, false},
	} {
		problems := networkProblems(c.config, c.links, c.connecting, nil)
		if !c.asked {
			if len(problems) > 0 {
				t.Errorf("%s: %+v", name, problems)
			}
			continue
		}
		p := statustest.Shown(t, problems, "network-untrusted")
		if p.Severity != status.Ask || p.Param["id"] != c.links[0].ID {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestThatDevicesAreNotFoundIsTold(t *testing.T) {
	limited := fault.New(fault.Retry, "announce-limited", "nothing works")
	p := statustest.Shown(t, networkProblems(config.Config{}, nil, false, limited), "announce-limited")
	if p.Severity != status.Wait {
		t.Errorf("told is %+v", p)
	}
}
