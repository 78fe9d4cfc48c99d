package mdns

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"
	"time"

	"lanyard/sync/device"
)

// Pair is a paired device with the key that only it and this one know.
type Pair struct {
	ID  device.ID
	Key device.PairKey
}

// Epoch is how long an announcement stays the same.
const Epoch = 15 * time.Minute

// maxTags is how many paired devices one announcement can be recognised by.
const maxTags = 64

type (
	tag   [8]byte
	nonce [16]byte
)

// epoch is the number of a time.
func epoch(t time.Time) int64 { return t.Unix() / int64(Epoch/time.Second) }

// tagOf is what announcer tells so that the device with the same key
// recognises it. The two directions differ, so that an announcement that is
// repeated by somebody does not look like the other device's.
func tagOf(key device.PairKey, announcer, other device.ID, n nonce, e int64) tag {
	role := byte(1)
	if announcer.Compare(other) < 0 {
		role = 0
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("lanyard-mdns-1"))
	mac.Write([]byte{role})
	mac.Write(n[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(e)))
	return tag(mac.Sum(nil)[:8])
}

// tagsFor makes the tags of an announcement: one for each pair, random ones up
// to the next of 8, 16, 32 and 64, so that the count tells little, in an order
// of chance. Of more than 64 pairs each has its turn, epoch by epoch.
func tagsFor(self device.ID, pairs []Pair, n nonce, e int64) []tag {
	if over := len(pairs) - maxTags; over > 0 {
		at := int(e*maxTags%int64(len(pairs))+int64(len(pairs))) % len(pairs)
		pairs = slices.Concat(pairs[at:], pairs[:at])[:maxTags]
	}
	size := 8
	for size < len(pairs) {
		size *= 2
	}
	out := make([]tag, size)
	for i := range out {
		if i < len(pairs) {
			out[i] = tagOf(pairs[i].Key, self, pairs[i].ID, n, e)
		} else {
			rand.Read(out[i][:]) // never fails
		}
	}
	for i := len(out) - 1; i > 0; i-- {
		j := chance(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// recognise gives the paired devices that an announcement may be of, at a time
// by a clock that may be one epoch off.
func recognise(self device.ID, pairs []Pair, n nonce, tags []tag, now time.Time) []device.ID {
	var out []device.ID
	for _, p := range pairs {
		for e := epoch(now) - 1; e <= epoch(now)+1; e++ {
			if slices.Contains(tags, tagOf(p.Key, p.ID, self, n, e)) {
				out = append(out, p.ID)
				break
			}
		}
	}
	return out
}

// chance draws a number below n.
func chance(n int) int {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the reader never fails
	}
	return int(v.Int64())
}

func newNonce() (n nonce) {
	rand.Read(n[:]) // never fails
	return n
}
