// Package peer holds the conversation with one connected device: hello,
// cluster configuration, index exchange, requests in both directions.
//
// Session is the conversation as a pure machine: a message or a tick in,
// effects out. Peer runs one over a Wire: it carries the effects out through
// a Host and feeds the outcomes back. Stream is the Wire over a real
// connection; a simulation has its own. So the same Session and Peer talk over
// QUIC and in a simulated network.
package peer
