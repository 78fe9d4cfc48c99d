// Package mdns finds paired devices, and devices that want to be paired, by
// multicast DNS (RFC 6762, RFC 6763) on the networks of this machine.
//
// An announcement is anonymous. It has a random name, and tags by which only
// paired devices recognise it; all of it changes every quarter of an hour and
// with the network, so that nobody can follow a device from one network to the
// next. A device's name is in it only while its person has the page for
// connecting devices open.
//
// The library that speaks the protocol, grandcat/zeroconf, has defects that a
// Source cures from outside:
//
//   - it stops asking after the first answer, gives up after a quarter of an
//     hour, and tells of each device once: browsing is begun anew each round
//   - nobody is told that a device is gone: what was not heard for three rounds
//     is dropped
//   - it blocks on a channel that nobody reads: that is read until it closes
//   - SetText and TTL race with its own goroutines: they are not called;
//     announcing is ended and begun anew
//   - a text of more than 255 bytes makes its Shutdown return early and leak:
//     texts are checked before
//   - its list of interfaces is frozen: both are begun anew when those change
//   - it tells every address of every interface, and the host's name: only
//     those of the interface that is asked on are told, under a random name
//   - answers of link-local addresses lose their zone: every interface is
//     offered
//   - its Shutdown may block: it is waited for, for so long
//
// What is heard is a hint: who answers at an address proves itself by its
// certificate.
package mdns
