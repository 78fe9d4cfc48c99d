package pairing

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// Secret is what an invitation proves knowledge of. It prints as [secret], so
// that it does not find its way into a log or a report.
type Secret [16]byte

// Format writes [secret] for every verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// String gives [secret].
func (Secret) String() string { return hidden }

// MarshalText gives [secret].
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

const hidden = "[secret]"

// Beacon is what a device announces on its network while it shows the
// invitation, by which the one that takes it finds the way; it tells nothing of
// the secret.
func (s Secret) Beacon() [8]byte {
	return [8]byte(derive(s[:], nil, []byte("lanyard-mdns-p"))[:8])
}

// Invitation is what a code or link holds.
type Invitation struct {
	ID      device.ID // of the device that shows it
	Secret  Secret
	Expires time.Time // whole seconds
	Hints   []netip.AddrPort
}

// Lifetime is how long an invitation may be used; MaxHints how many addresses
// it holds.
const (
	Lifetime = 2 * time.Minute
	MaxHints = 3
)

// Prefixes of the two forms. The code's letters are those that a QR code holds
// the most of.
const (
	codePrefix = "LANYARD:"
	linkPrefix = "lanyard://pair#"
)

// Version and method of an invitation.
const (
	version1  = 1
	methodLQ1 = 1
)

const fixedPart = 2 + 32 + 16 + 4 + 1

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Code gives the text of the QR code.
func (i Invitation) Code() string { return codePrefix + i.text() }

// Link gives the link.
func (i Invitation) Link() string { return linkPrefix + i.text() }

func (i Invitation) text() string {
	b := []byte{version1, methodLQ1}
	b = append(b, i.ID[:]...)
	b = append(b, i.Secret[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(i.Expires.Unix()))
	hints := i.Hints[:min(len(i.Hints), MaxHints)]
	b = append(b, byte(len(hints)))
	for _, h := range hints {
		a := h.Addr().Unmap()
		b = append(b, map[bool]byte{true: 4, false: 6}[a.Is4()])
		b = append(b, a.AsSlice()...)
		b = binary.BigEndian.AppendUint16(b, h.Port())
	}
	return base32Text.EncodeToString(b)
}

// errNoInvitation is what text gets that is none.
func errNoInvitation(why string) error {
	return fault.New(fault.Item, "picture-without-code", "this is no invitation of Lanyard: %s", why)
}

// ParseInvitation reads a code or a link, in any case. It is as suspicious as
// of anything that a stranger wrote: hints that lead anywhere but to a device
// on a network of its own are left out.
func ParseInvitation(text string) (Invitation, error) {
	var i Invitation
	text = strings.TrimSpace(text)
	body, ok := cutPrefixFold(text, linkPrefix) // first: the other is its beginning
	if !ok {
		if body, ok = cutPrefixFold(text, codePrefix); !ok {
			return i, errNoInvitation("one begins with " + linkPrefix)
		}
	}
	if len(body) > base32Text.EncodedLen(fixedPart+MaxHints*19) {
		return i, errNoInvitation("it is too long")
	}
	b, err := base32Text.DecodeString(strings.ToUpper(body))
	if err != nil || len(b) < 2 {
		return i, errNoInvitation("it is not complete")
	}
	if b[0] > version1 {
		return i, fault.New(fault.Item, "code-newer", "this code comes from a newer Lanyard; update Lanyard here, or connect by number")
	}
	if b[0] != version1 || b[1] != methodLQ1 || len(b) < fixedPart {
		return i, errNoInvitation("it is not complete")
	}
	i.ID, i.Secret = device.ID(b[2:34]), Secret(b[34:50])
	i.Expires = time.Unix(int64(binary.BigEndian.Uint32(b[50:54])), 0)
	i.Hints, err = parseHints(int(b[54]), b[fixedPart:])
	if err == nil && i.ID.IsZero() {
		err = errNoInvitation("it names no device")
	}
	return i, err
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

func parseHints(n int, b []byte) ([]netip.AddrPort, error) {
	if n > MaxHints {
		return nil, errNoInvitation("it has too many addresses")
	}
	var out []netip.AddrPort
	for range n {
		size := 0
		if len(b) > 0 {
			size = map[byte]int{4: 4, 6: 16}[b[0]]
		}
		if size == 0 || len(b) < 1+size+2 {
			return nil, errNoInvitation("it is not complete")
		}
		a, _ := netip.AddrFromSlice(b[1 : 1+size])
		h := netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(b[1+size:]))
		if AllowedHint(h) {
			out = append(out, h)
		}
		b = b[1+size+2:]
	}
	if len(b) > 0 {
		return nil, errNoInvitation("something follows it")
	}
	return out, nil
}

// AllowedHint reports whether an address may be dialled because an invitation
// names it: that of one device, on a private or link-local network.
func AllowedHint(h netip.AddrPort) bool {
	a := h.Addr()
	if !a.IsValid() || h.Port() == 0 || a == metadataService {
		return false
	}
	return a.IsPrivate() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a)
}

var (
	// metadataService is where clouds hand out credentials to whoever asks.
	metadataService = netip.MustParseAddr("169.254.169.254")
	// sharedSpace is private in effect (RFC 6598); overlay networks use it.
	sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
)
