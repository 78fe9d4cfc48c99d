package bep

import (
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"lanyard/sync/fault"
)

// CodeTooOld is the code of ReadHello's error about a peer whose program
// speaks something older than BEP 1.
const CodeTooOld fault.Code = "device-too-old"

// peerError says that what a peer sent is wrong.
func peerError(op string, err error) error {
	return fault.Wrap(fault.Peer, "", op, "", err)
}

// connectionError gives an error of the connection the kind Retry, unless
// whoever made it gave it a kind.
func connectionError(op string, err error) error {
	if kind := fault.KindOf(err); kind != fault.Unknown {
		return fault.Wrap(kind, "", op, "", err)
	}
	return fault.Wrap(fault.Retry, "", op, "", err)
}

// unexpected makes an end of input inside of something an unexpected one.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// quote makes a name from a peer safe to show: escaped, and cut to 80 bytes.
func quote(name string) string {
	const limit = 80
	if len(name) <= limit {
		return strconv.Quote(name)
	}
	cut := limit
	for cut > limit-utf8.UTFMax && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strconv.Quote(name[:cut]) + "…"
}
