package config

import (
	"crypto/rand"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lanyard/sync/bep"
)

// maxFolderID is the longest folder ID in bytes: what other programs may have
// chosen, within reason.
const maxFolderID = 256

// NewFolderID draws a random folder ID, such as "k4x2m-9qwer".
func NewFolderID() bep.FolderID {
	text := strings.ToLower(rand.Text()) // 26 characters of a-z and 2-7
	return bep.FolderID(text[:5] + "-" + text[5:10])
}

// CheckFolderID refuses an ID that could not be typed back or shown.
func CheckFolderID(id bep.FolderID) error {
	s := string(id)
	bad := s == "" || s == "." || s == ".." || len(s) > maxFolderID || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	if !bad {
		return nil
	}
	return &Refusal{
		Reason: Invalid, Code: "folder-id-invalid", Item: s,
		Text:   quote(s) + " cannot be a folder ID",
		Remedy: "use 1 to 256 printable characters",
	}
}

// CheckAddresses refuses addresses of which one is neither quic://HOST:PORT
// nor tcp://HOST:PORT.
func CheckAddresses(addresses []string) error {
	for _, a := range addresses {
		if !validAddress(a) {
			return &Refusal{
				Reason: Invalid, Code: "address-invalid", Item: a,
				Text:   quote(a) + " is not an address",
				Remedy: "write it like quic://192.0.2.1:22000",
			}
		}
	}
	return nil
}

// CheckDialable refuses addresses at which no device can be: what CheckAddresses
// refuses, and those without a host, of all interfaces, of many devices at once,
// with port 0, which are for listening alone or for nothing, and those that are not
// of the family which their scheme names.
func CheckDialable(addresses []string) error {
	if err := CheckAddresses(addresses); err != nil {
		return err
	}
	for _, a := range addresses {
		if !dialable(a) {
			return &Refusal{
				Reason: Invalid, Code: "address-nowhere", Item: a,
				Text:   quote(a) + " leads to no device",
				Remedy: "write the address of the device itself, like quic://192.0.2.1:22000",
			}
		}
	}
	return nil
}

func dialable(a string) bool {
	u, err := url.Parse(a)
	if err != nil || u.Hostname() == "" || u.Port() == "0" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return true // a name
	}
	ip = ip.Unmap()
	if strings.HasSuffix(u.Scheme, "4") && !ip.Is4() || strings.HasSuffix(u.Scheme, "6") && ip.Is4() {
		return false
	}
	return !ip.IsUnspecified() && !ip.IsMulticast() && ip != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func validAddress(a string) bool {
	u, err := url.Parse(a)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return false
	}
	switch u.Scheme {
	case "quic", "quic4", "quic6", "tcp", "tcp4", "tcp6":
	default:
		return false
	}
	// An address to listen on may lack the host, and any address the port.
	_, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		return u.Host != "" && !strings.ContainsAny(u.Host, ":[]\x00 ")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == port
}
