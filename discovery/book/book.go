// Package book remembers where devices may be: the addresses that a person
// set, that were announced, that devices dialed us from, and that worked
// before. It fulfils engine.Addresses.
//
// All of it is a hint. Who answers at an address is proven by its certificate
// alone, so a wrong entry costs a failed dial and nothing else.
package book

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

const (
	// MaxAddresses is how many addresses the book keeps for one device.
	MaxAddresses = 32
	// maxNetworks is on how many networks an address is known to have worked.
	maxNetworks = 8
	// sightingLife is how long an announcement makes an address fresh: three
	// rounds of announcing.
	sightingLife = 180 * time.Second
	// After tiredFails failures an address is tried in every tiredRounds-th
	// round only.
	tiredFails  = 3
	tiredRounds = 5
	// saveDelay gathers changes into one write of the file.
	saveDelay = 2 * time.Second
	// maxPending is how many changes wait for the reader of Changed.
	maxPending = 256
)

// Options says where the book is kept. Zero fields mean the documented
// defaults.
type Options struct {
	// File is the path of the JSON file that addresses which worked are kept
	// in. Empty keeps them in memory only.
	File string
	// Network is a fingerprint of the network that the device is in; addresses
	// are ranked by what worked there. Empty is one network like any other.
	Network string
	// Log is silent by default.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("component", "book")
	return o
}

// Book is an address book. It is safe for concurrent use.
type Book struct {
	opts    Options
	changed chan device.ID // never closed
	unsaved chan struct{}  // holds one token while there is something to save
	saving  sync.Mutex     // held while the file is written; guards no memory

	mu      sync.Mutex
	network string
	devices map[device.ID]*entry
}

// entry is one device.
type entry struct {
	records    map[Address]*record
	rounds     int       // calls of Candidates
	met        time.Time // when it last dialed us from nowhere that it listens
	undialable bool      // it was last announced at addresses that cannot be dialed alone
	heard      time.Time // when it was last announced on this network
}

// Open reads the file, if there is one. A file that cannot be understood is
// left behind: the book begins empty and overwrites it. It starts nothing:
// call Run, or Save.
func Open(o Options) *Book {
	o = o.withDefaults()
	b := &Book{
		opts:    o,
		network: o.Network,
		changed: make(chan device.ID, maxPending),
		unsaved: make(chan struct{}, 1),
		devices: map[device.ID]*entry{},
	}
	if o.File != "" {
		if err := b.load(); err != nil {
			o.Log.Warn("address book is begun anew", "error", err)
		}
	}
	return b
}

// Run saves the book soon after each change until ctx ends, and then once
// more. It returns the cause of the end.
func (b *Book) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			b.saveOrLog()
			return context.Cause(ctx)
		case <-b.unsaved:
		}
		select {
		case <-ctx.Done():
		case <-time.After(saveDelay):
		}
		b.saveOrLog()
	}
}

func (b *Book) saveOrLog() {
	if err := b.Save(); err != nil {
		b.opts.Log.Warn("address book was not saved", "error", err)
	}
}

// Set gives the book a device and the addresses that a person set for it. They
// replace those set before. Addresses that cannot be used, and more than
// MaxAddresses, are an error of kind Item, and then nothing changes.
func (b *Book) Set(dev device.ID, addresses []string) error {
	fixed := make([]Address, 0, len(addresses))
	for _, s := range addresses {
		a, err := parseDialable(s)
		if err != nil {
			return fault.Wrap(fault.Item, "", "set addresses", "", err)
		}
		if !slices.Contains(fixed, a) {
			fixed = append(fixed, a)
		}
	}
	if len(fixed) > MaxAddresses {
		return fault.New(fault.Item, "", "set addresses: a device may have %d and there are %d", MaxAddresses, len(fixed))
	}
	b.mu.Lock()
	fresh := b.setFixed(dev, fixed)
	b.mu.Unlock()
	if fresh {
		b.announce(dev)
	}
	return nil
}

// setFixed reports whether an address became fixed that was not.
func (b *Book) setFixed(dev device.ID, fixed []Address) (fresh bool) {
	e := b.entry(dev)
	for a, r := range e.records {
		if r.fixed && !slices.Contains(fixed, a) {
			r.fixed = false
			if !r.worthKeeping() && r.sighted.IsZero() {
				delete(e.records, a)
			}
		}
	}
	now := time.Now()
	for _, a := range fixed {
		r := e.record(a, now)
		if !r.fixed {
			r.fixed, r.fails = true, 0
			fresh = true
		}
	}
	e.shrink()
	return fresh
}

// Forget drops a device and all that is known of it.
func (b *Book) Forget(dev device.ID) {
	b.mu.Lock()
	_, known := b.devices[dev]
	delete(b.devices, dev)
	b.mu.Unlock()
	if known {
		b.touch()
	}
}

// SetNetwork notes that this device is in another network now. What was
// announced in the old one counts no more, and failures there are forgiven.
func (b *Book) SetNetwork(fingerprint string) {
	b.mu.Lock()
	if fingerprint == b.network {
		b.mu.Unlock()
		return
	}
	b.network = fingerprint
	var affected []device.ID
	for dev, e := range b.devices {
		for _, r := range e.records {
			r.sighted, r.fails = time.Time{}, 0
		}
		e.heard = time.Time{}
		if len(e.records) > 0 {
			affected = append(affected, dev)
		}
	}
	b.mu.Unlock()
	slices.SortFunc(affected, device.ID.Compare)
	for _, dev := range affected {
		b.announce(dev)
	}
}

// Sighted notes that a device was announced at addresses, such as by mDNS. It
// is for discovery, which anybody can feed: only a device that the book was
// given by Set is noted, and only the first MaxAddresses addresses, without
// those that cannot be used.
func (b *Book) Sighted(dev device.ID, addresses []string) {
	b.mu.Lock()
	e := b.devices[dev]
	news := false
	if e != nil {
		e.undialable = len(addresses) > 0
		e.heard = time.Now()
		for _, s := range addresses[:min(len(addresses), MaxAddresses)] {
			if a, err := parseDialable(s); err == nil {
				e.undialable = false
				news = e.sight(a, time.Now()) || news
			}
		}
	}
	b.mu.Unlock()
	if news {
		b.announce(dev)
	}
}

// Heard reports whether a device was announced on this network of late.
func (b *Book) Heard(dev device.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.devices[dev]
	return e != nil && !e.heard.IsZero() && time.Since(e.heard) < sightingLife
}

// Seen notes the source address of a connection that a device opened. With QUIC
// it listens there too, since it dials from its listening socket; with TCP it
// does not, so that only the time counts.
func (b *Book) Seen(dev device.ID, address string) {
	a, err := parseDialable(address)
	if err != nil {
		b.opts.Log.Debug("source address is of no use", "error", err)
		return
	}
	now := time.Now()
	b.mu.Lock()
	e := b.entry(dev)
	if a.overTCP() {
		e.met = now
	} else {
		e.sight(a, now)
		if r := e.records[a]; r != nil {
			r.dialedUs = true
		}
	}
	b.mu.Unlock()
	b.touch()
}

// Succeeded notes that a dial reached the device at an address.
func (b *Book) Succeeded(dev device.ID, address string) {
	a, err := parseDialable(address)
	if err != nil {
		b.opts.Log.Debug("dialed address is of no use", "error", err)
		return
	}
	now := time.Now()
	b.mu.Lock()
	e := b.entry(dev)
	e.record(a, now).worked(b.network, now)
	e.shrink()
	b.mu.Unlock()
	b.touch()
}

// Failed notes that a dial did not reach the device at an address. What was
// announced there counts no more, until it is announced again.
func (b *Book) Failed(dev device.ID, address string, cause error) {
	a, err := ParseAddress(address)
	if err != nil || errors.Is(cause, context.Canceled) {
		return // a dial that was called off says nothing about the address
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.devices[dev]; e != nil {
		if r := e.records[a]; r != nil {
			r.fails++
			r.sighted = time.Time{}
		}
	}
}

// Candidates lists the addresses to try in this round, best first: those that
// worked on this network, those where the device was announced lately, the
// fixed ones, those that worked elsewhere, the rest. An address that failed
// three times in a row is left out of four rounds in five, unless there is no
// other.
func (b *Book) Candidates(dev device.ID) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.devices[dev]
	if e == nil {
		return nil
	}
	e.rounds++
	var lively, all []*record
	for _, r := range e.records {
		all = append(all, r)
		if r.fails < tiredFails || e.rounds%tiredRounds == 0 {
			lively = append(lively, r)
		}
	}
	if len(lively) == 0 {
		lively = all
	}
	now := time.Now()
	slices.SortFunc(lively, func(x, y *record) int { return better(x, y, b.network, now) })
	list := make([]string, len(lively))
	for i, r := range lively {
		list[i] = r.address.String()
	}
	return list
}

// WorkedHere reports whether the device has an address that worked on this
// network, so that it is worth trying often.
func (b *Book) WorkedHere(dev device.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.devices[dev]; e != nil {
		for _, r := range e.records {
			if !r.lastOK[b.network].IsZero() {
				return true
			}
		}
	}
	return false
}

// Undialable reports whether no address of the device is known that can be dialed,
// and those at which it is announced cannot, such as those of relays.
func (b *Book) Undialable(dev device.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.devices[dev]
	return e != nil && e.undialable && len(e.records) == 0
}

// LastSeen gives when a connection to the device was last made, zero where
// none ever was or that is forgotten.
func (b *Book) LastSeen(dev device.ID) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	var last time.Time
	later := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	e := b.devices[dev]
	if e == nil {
		return last
	}
	later(e.met)
	for _, r := range e.records {
		for _, ok := range r.lastOK {
			later(ok)
		}
		if r.dialedUs {
			later(r.sighted)
		}
	}
	return last
}

// Changed gives a device that may have become reachable. While its reader is
// far behind, further changes are left out: the next dial after the usual
// pause finds them.
func (b *Book) Changed() <-chan device.ID { return b.changed }

func (b *Book) announce(dev device.ID) {
	select {
	case b.changed <- dev:
	default:
		b.opts.Log.Debug("a change was left out", "device", dev.Short())
	}
}

// touch marks the book as changed since it was saved.
func (b *Book) touch() {
	select {
	case b.unsaved <- struct{}{}:
	default: // it is marked already
	}
}

// entry gives the entry of a device, made if need be. Its caller holds mu.
func (b *Book) entry(dev device.ID) *entry {
	e := b.devices[dev]
	if e == nil {
		e = &entry{records: map[Address]*record{}}
		b.devices[dev] = e
	}
	return e
}

// record gives the record of an address, made if need be. Making may exceed
// the bound until shrink.
func (e *entry) record(a Address, now time.Time) *record {
	r := e.records[a]
	if r == nil {
		r = &record{address: a, firstSeen: now}
		e.records[a] = r
	}
	r.lastSeen = now
	return r
}

// sight notes that the device is at an address, and reports whether that is
// news: the address is new, had failed, or was not fresh.
func (e *entry) sight(a Address, now time.Time) (news bool) {
	r := e.record(a, now)
	news = r.fails > 0 || !r.fresh(now)
	r.sighted, r.fails = now, 0
	e.shrink()
	return news
}

// shrink drops the least useful addresses beyond the bound.
func (e *entry) shrink() {
	if len(e.records) <= MaxAddresses {
		return
	}
	var all []*record
	for _, r := range e.records {
		all = append(all, r)
	}
	slices.SortFunc(all, dropFirst)
	for _, r := range all[:len(all)-MaxAddresses] {
		delete(e.records, r.address)
	}
}

// parseDialable is ParseAddress for an address that names a host.
func parseDialable(s string) (Address, error) {
	a, err := ParseAddress(s)
	if err == nil && a.Unspecified() {
		err = fmt.Errorf("%w: %q names no host", ErrAddress, s)
	}
	return a, err
}
