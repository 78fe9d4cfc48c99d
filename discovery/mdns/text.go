package mdns

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of what is told and believed.
const (
	maxString   = 200 // bytes of one string; a longer one breaks the library
	maxText     = 840 // bytes of all that is told: 64 tags, a name and a beacon are 810
	maxHeard    = 1 << 10
	maxName     = 64
	tagsPerText = 16
)

// Beacon is what the device that shows an invitation tells while it does, by
// which the one that takes it finds the way.
type Beacon [8]byte

// announcement is what the strings of a service say.
type announcement struct {
	nonce  nonce
	tags   []tag
	name   string // only of a device whose person wants to connect one
	beacon *Beacon
}

var text64 = base64.RawURLEncoding

// errText is what is no announcement of ours, or not one to be sent.
var errText = errors.New("no announcement of Lanyard")

// encode makes the strings.
func (a announcement) encode() ([]string, error) {
	out := []string{"v=1", "n=" + text64.EncodeToString(a.nonce[:])}
	for i := 0; i*tagsPerText < len(a.tags); i++ {
		var b []byte
		for _, t := range a.tags[i*tagsPerText : min(len(a.tags), (i+1)*tagsPerText)] {
			b = append(b, t[:]...)
		}
		out = append(out, "t"+strconv.Itoa(i)+"="+text64.EncodeToString(b))
	}
	if a.name != "" {
		out = append(out, "m="+a.name)
	}
	if a.beacon != nil {
		out = append(out, "p="+text64.EncodeToString(a.beacon[:]))
	}
	total := 0
	for _, s := range out {
		total += 1 + len(s)
		if len(s) > maxString {
			return nil, errText
		}
	}
	if total > maxText {
		return nil, errText
	}
	return out, nil
}

// decode reads the strings of a service. Those that it does not know are
// skipped.
func decode(text []string) (announcement, error) {
	var a announcement
	total, version, nonces := 0, "", 0
	for _, s := range text {
		if total += 1 + len(s); total > maxHeard {
			return a, errText
		}
		key, value, _ := strings.Cut(s, "=")
		switch key {
		case "v":
			version = value
		case "n":
			b, err := text64.DecodeString(value)
			if err != nil || len(b) != len(a.nonce) {
				return a, errText
			}
			a.nonce = nonce(b)
			nonces++
		case "t0", "t1", "t2", "t3":
			b, err := text64.DecodeString(value)
			if err != nil || len(b)%len(tag{}) != 0 || len(b) > tagsPerText*len(tag{}) || len(a.tags) >= maxTags {
				return a, errText
			}
			for ; len(b) > 0; b = b[len(tag{}):] {
				a.tags = append(a.tags, tag(b[:len(tag{})]))
			}
		case "m":
			if len(value) > maxName || !utf8.ValidString(value) {
				return a, errText
			}
			a.name = value
		case "p":
			b, err := text64.DecodeString(value)
			if err != nil || len(b) != len(Beacon{}) {
				return a, errText
			}
			a.beacon = (*Beacon)(b)
		}
	}
	if version != "1" || nonces != 1 || len(a.tags) > maxTags {
		return a, errText
	}
	return a, nil
}

// cutName shortens a name to what an announcement holds, between letters.
func cutName(s string) string {
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
