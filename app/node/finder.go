package node

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"lanyard/app/config"
	"lanyard/discovery/lan"
	"lanyard/discovery/mdns"
	"lanyard/discovery/network"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// newFinder makes what looks for devices on the network.
func (p *productEngine) newFinder(o EngineOptions) *lan.Finder {
	return lan.New(lan.Options{
		Self: o.ID, Listen: p.transport.Addresses, Port: p.udpPort, Book: p.book, Log: o.Log,
		Known:   func(id device.ID) bool { _, err := p.config().FindDevice(id.String()); return err == nil },
		Devices: func() []device.ID { return devices(p.config()) },
		Pairs:   func() []mdns.Pair { return pairs(p.config()) },
		Trusted: func(id string) bool { n, _ := p.config().FindNetwork(id); return n.Trusted },
		Moved:   func(m lan.Move) { p.Moved(m.Left && !m.Trusted) },
		Resumed: p.Resumed,
		Changed: p.Touch,
	})
}

// Finder gives what looks for devices, nil where they are not looked for.
func (p *productEngine) Finder() *lan.Finder { return p.finder }

// Network is a network that this computer is in.
type Network struct {
	ID   string // what it is recognised by; empty where it cannot be
	Name string
	Main bool // that of the way out
}

// Networks lists the networks that this computer is in, the main one first;
// none where devices are not looked for.
func (n *Node) Networks() []Network {
	f := n.Finder()
	if f == nil {
		return nil
	}
	links := f.Networks()
	main, ok := network.Main(links)
	var out []Network
	for _, l := range links {
		entry := Network{ID: l.ID, Name: l.Name, Main: ok && l.Index == main.Index}
		switch {
		case entry.Main:
			out = append([]Network{entry}, out...)
		case !slices.ContainsFunc(out, func(o Network) bool { return o.ID == entry.ID && o.ID != "" }):
			out = append(out, entry)
		}
	}
	return out
}

// udpPort gives the port that devices may dial with QUIC, 0 for none.
func (p *productEngine) udpPort() int {
	for _, a := range p.transport.Addresses() {
		if strings.HasPrefix(a, "quic") {
			n, _ := strconv.Atoi(portOf(a)) // what we listen on has a port
			return n
		}
	}
	return 0
}

func devices(c config.Config) []device.ID {
	out := make([]device.ID, 0, len(c.Devices))
	for _, d := range c.Devices {
		out = append(out, d.ID)
	}
	return out
}

// pairs lists the devices that recognise this one.
func pairs(c config.Config) []mdns.Pair {
	var out []mdns.Pair
	for _, d := range c.Devices {
		if !d.PairKey.IsZero() {
			out = append(out, mdns.Pair{ID: d.ID, Key: d.PairKey})
		}
	}
	return out
}

// reconsider announces anew where what is announced follows from a part of the
// configuration that changed.
func (p *productEngine) reconsider() {
	if p.finder == nil {
		return
	}
	c := p.config()
	now := told{pairs: pairs(c), networks: c.Networks}
	p.toldMu.Lock()
	same := slices.Equal(now.pairs, p.told.pairs) && slices.Equal(now.networks, p.told.networks)
	p.told = now
	p.toldMu.Unlock()
	if !same {
		p.finder.Refresh()
	}
}

// told is what the announcements follow from.
type told struct {
	pairs    []mdns.Pair
	networks []config.Network
}

// networkProblems names what is to be said of the networks that this computer
// is in. It is asked about one that nobody said anything about only where it
// matters what is told there: a folder is shared, or a device is being
// connected.
func networkProblems(c config.Config, links []network.Link, connecting bool, limited error) []status.Problem {
	var out []status.Problem
	if limited != nil {
		out = append(out, problem(limited))
	}
	main, ok := network.Main(links)
	matters := connecting || slices.ContainsFunc(c.Folders, func(f config.Folder) bool { return len(f.Shared) > 0 })
	if _, asked := c.FindNetwork(main.ID); ok && matters && !asked {
		out = append(out, problem(fault.With(
			fault.New(fault.Retry, "network-untrusted", "nobody said whether the network %s is trusted", main.Name),
			"network", main.Name, "id", main.ID)))
	}
	return out
}

func problem(err error) status.Problem {
	code := fault.CodeOf(err)
	c, _ := status.Find(code)
	return status.Problem{Code: code, Severity: c.Severity, Text: err.Error(), Param: fault.DataOf(err), Since: time.Now().UTC()}
}
