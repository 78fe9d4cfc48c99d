// Package bep turns the messages of the Block Exchange Protocol into bytes
// and back. It owns no socket and no goroutine: it appends frames to a slice
// and reads them from an io.Reader.
//
// Words: a message is one of the types behind the interface Message; its body
// is its protobuf form; a frame is a header and a body, each with its length
// in front. Hello comes before all frames, in a form of its own.
//
// What Reader gives has been checked: names are relpath.Paths, version vectors
// are sorted, the blocks of a file cover exactly its size, numbers are within
// the limits of limits.go. Nothing is allocated because a peer claims a
// length: memory follows the bytes that arrived, except for the data of a
// Response, which has a limit of its own. Errors about what a peer sent are of
// kind fault.Peer, and errors of the connection fault.Retry unless whoever
// read from it gave them a kind.
package bep
