// Package doctor finds out what keeps the devices of a network from finding each
// other, by trying it: it sends what finding needs on each interface, to itself,
// and listens for it. What it sends is of no meaning to others and tells nothing
// of this device. It needs no running engine and disturbs none.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"lanyard/discovery/local"
	"lanyard/sync/fault"
)

// Check is one thing that is looked at.
type Check string

// The checks, in the order in which they are made.
const (
	Network Check = "network" // an interface leads to others
	MDNS    Check = "mdns"    // as Lanyards find each other
	Local   Check = "local"   // as Syncthings find each other
	Route   Check = "route"   // the way to the local network and to devices is not taken by a tunnel
	Port    Check = "port"    // that of connections is free
	Buffers Check = "buffers" // of the sockets
	Clock   Check = "clock"   // of this machine
)

// Checks lists them.
func Checks() []Check { return []Check{Network, MDNS, Local, Route, Port, Buffers, Clock} }

// Finding is something that is wrong. Err is a fault with the code of a named
// condition and its values.
type Finding struct {
	Check     Check
	Interface string // or device that it is about; "" for all
	Err       error
}

// Method is a way of finding devices.
type Method struct {
	Check Check
	Port  int
	IPv6  bool
}

// methods are those that are tried on each interface.
var methods = []Method{
	{MDNS, 5353, false}, {MDNS, 5353, true}, {Local, 21027, false}, {Local, 21027, true},
}

// System is what an examination needs of the machine.
type System interface {
	// Links lists the interfaces.
	Links() ([]local.Interface, error)
	// Probe sends to itself on an interface in the way of a method, and waits for
	// it. ErrSilent means that it did not come, before ctx ended.
	Probe(ctx context.Context, m Method, l local.Interface) error
	// SourceOf gives the own address from which another one is reached.
	SourceOf(to netip.Addr) (netip.Addr, error)
	// Now is the time of the clock.
	Now() time.Time
	// Bind takes the UDP port and gives it back.
	Bind(port int) error
	// Buffer gives how many bytes the system lets a socket hold that asked for
	// want.
	Buffer(want int) (got int, err error)
}

// ErrSilent means that what was sent to oneself did not arrive.
var ErrSilent = errors.New("what was sent did not arrive")

// Options of an examination. The zero value looks at everything.
type Options struct {
	// Port is that of connections, which is looked at unless it is 0: an engine
	// that runs has it.
	Port int
	// Devices are those that are to be reached.
	Devices []Device
	// Written is when something was last written by this machine's own clock; zero
	// where that is not known.
	Written time.Time
	// Wait is how long each probe may take. Default: 1 s.
	Wait   time.Duration
	System System // nil: the machine
}

// Device is a device with an address where it is, or may be.
type Device struct {
	Name    string
	Address netip.Addr
}

// clockBehind is how far the clock may be behind what was written before.
const clockBehind = 5 * time.Minute

// bufferWanted is what QUIC asks for to be quick, and bufferEnough what does not
// slow it down noticeably, in bytes.
const (
	bufferWanted = 7 << 20
	bufferEnough = 2 << 20
)

// Examine looks at everything, and gives what is wrong. It takes a few seconds;
// the end of ctx cuts it short.
func Examine(ctx context.Context, o Options) []Finding {
	if o.System == nil {
		o.System = machine{}
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	e := &examination{Options: o}
	links, err := o.System.Links()
	if err != nil {
		e.add(Network, "", fault.Wrap(fault.Retry, "network-none", "list network interfaces", "", err))
	}
	var near []local.Interface
	for _, l := range links {
		if len(l.Prefixes) > 0 && !l.PointToPoint {
			near = append(near, l)
		}
	}
	if err == nil && len(near) == 0 {
		e.add(Network, "", fault.New(fault.Retry, "network-none", "no interface has an address"))
	}
	e.methods(ctx, near)
	e.routes(near, links)
	e.ways(links)
	e.sockets()
	e.clock()
	return e.found
}

type examination struct {
	Options
	found []Finding
}

// add notes a finding, once: IPv4 and IPv6 mostly fail for one cause.
func (e *examination) add(c Check, on string, err error) {
	if slices.ContainsFunc(e.found, func(f Finding) bool {
		return f.Check == c && f.Interface == on && fault.CodeOf(f.Err) == fault.CodeOf(err)
	}) {
		return
	}
	e.found = append(e.found, Finding{c, on, err})
}

// methods tries each way of finding devices on each interface.
func (e *examination) methods(ctx context.Context, near []local.Interface) {
	for _, m := range methods {
		for _, l := range near {
			if !usable(m, l) || ctx.Err() != nil {
				continue
			}
			limited, cancel := context.WithTimeout(ctx, e.Wait)
			err := e.System.Probe(limited, m, l)
			cancel()
			if errors.Is(err, syscall.EADDRNOTAVAIL) {
				continue // IPv6 has no address that is ready on this interface
			}
			if err != nil && ctx.Err() == nil {
				e.add(m.Check, l.Name, e.judge(m, l, err))
			}
		}
	}
}

// usable reports whether a method has anything to try on an interface.
func usable(m Method, l local.Interface) bool {
	for _, p := range l.Prefixes {
		if m.IPv6 == p.Addr().Is6() {
			return l.Multicast || m.Check == Local && !m.IPv6
		}
	}
	return false
}

// judge names why a method does not work.
func (e *examination) judge(m Method, l local.Interface, err error) error {
	op := fmt.Sprintf("%s on %s", m.Check, l.Name)
	switch {
	case local.Taken(err):
		return taken(m.Port, err)
	case errors.Is(err, ErrSilent), errors.Is(err, os.ErrPermission):
		return fault.Wrap(fault.Retry, "firewall-blocked", op, "", err)
	}
	return fault.Wrap(fault.Retry, "announce-limited", op, "", err)
}

// taken says that another program has a port.
func taken(port int, err error) error {
	return fault.With(fault.Wrap(fault.Retry, "port-taken", "use UDP port "+strconv.Itoa(port), "", err), "port", strconv.Itoa(port))
}

// tunnelOf gives the tunnel whose own address is a, false for none.
func tunnelOf(all []local.Interface, a netip.Addr) (local.Interface, bool) {
	for _, l := range all {
		for _, p := range l.Prefixes {
			if l.PointToPoint && p.Addr() == a {
				return l, true
			}
		}
	}
	return local.Interface{}, false
}

// routes looks whether the way to each subnet that an interface is in leads over
// a tunnel.
func (e *examination) routes(near, all []local.Interface) {
	for _, l := range near {
		for _, p := range l.Prefixes {
			other, ok := neighbour(p)
			if !ok {
				continue
			}
			from, err := e.System.SourceOf(other)
			if err != nil {
				continue // the subnet has no route at all just now
			}
			if t, yes := tunnelOf(all, from); yes {
				e.add(Route, l.Name, fault.New(fault.Retry, "vpn-takes-lan", "the way to %s leads over %s", p.Masked(), t.Name))
				break
			}
		}
	}
}

// ways looks whether the way to a device in a private network leads over a tunnel
// that the device is not in: that of a VPN which takes everything that is not
// for the local subnet.
func (e *examination) ways(all []local.Interface) {
	for _, d := range e.Devices {
		if !d.Address.IsPrivate() {
			continue
		}
		from, err := e.System.SourceOf(d.Address)
		if err != nil {
			continue // there is no way to it at all just now
		}
		t, yes := tunnelOf(all, from)
		inside := slices.ContainsFunc(t.Prefixes, func(p netip.Prefix) bool { return p.Contains(d.Address) })
		if yes && !inside {
			e.add(Route, d.Name, fault.With(
				fault.New(fault.Retry, "vpn-takes-lan", "the way to %s leads over %s", d.Address, t.Name), "device", d.Name))
		}
	}
}

// clock looks whether this machine's clock is behind what it showed before.
func (e *examination) clock() {
	now := e.System.Now()
	if behind := e.Written.Sub(now); behind > clockBehind {
		e.add(Clock, "", fault.With(fault.New(fault.Retry, "clock-behind", "the clock is %v behind what was written before", behind.Round(time.Second)),
			"time", now.UTC().Format(time.RFC3339), "span", strconv.FormatInt(int64(behind.Seconds()), 10)))
	}
}

// neighbour gives another address of a subnet, false where there is none.
func neighbour(p netip.Prefix) (netip.Addr, bool) {
	if p.Addr().IsLinkLocalUnicast() || p.IsSingleIP() {
		return netip.Addr{}, false
	}
	for _, a := range []netip.Addr{p.Addr().Next(), p.Addr().Prev()} {
		if p.Contains(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// sockets looks at what connections need.
func (e *examination) sockets() {
	if e.Port != 0 {
		if err := e.System.Bind(e.Port); err != nil {
			e.add(Port, "", taken(e.Port, err))
		}
	}
	got, err := e.System.Buffer(bufferWanted)
	if err == nil && got < bufferEnough {
		e.add(Buffers, "", fault.With(
			fault.New(fault.Retry, "buffers-small", "a socket may hold %d bytes", got), "size", strconv.Itoa(got)))
	}
}
