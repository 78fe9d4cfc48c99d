package engine

import (
	"errors"
	"sync"
	"testing"

	"lanyard/sync/device"
	"lanyard/sync/status"
)

// keyring is PairKeys in memory.
type keyring struct {
	mu     sync.Mutex
	keys   map[device.ID]device.PairKey
	stores int
	full   bool
}

func newKeyring() *keyring { return &keyring{keys: map[device.ID]device.PairKey{}} }

func (k *keyring) PairKey(dev device.ID) device.PairKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[dev]
}

func (k *keyring) SetPairKey(dev device.ID, key device.PairKey) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stores++
	if k.full {
		return errors.New("the disk is full")
	}
	k.keys[dev] = key
	return nil
}

func (k *keyring) setFull(full bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.full = full
}

// keyPair is two devices with keyrings, the smaller ID first.
func keyPair(t *testing.T) (smaller, larger *node) {
	smaller, larger = describedNode(t, "a"), describedNode(t, "b")
	smaller.keys, larger.keys = newKeyring(), newKeyring()
	startNode(t, smaller)
	startNode(t, larger)
	if larger.id.Compare(smaller.id) < 0 {
		smaller, larger = larger, smaller
	}
	return smaller, larger
}

// agree reports whether two devices have a key in common.
func agree(smaller, larger *node) bool {
	key := smaller.keys.PairKey(larger.id)
	return !key.IsZero() && key == larger.keys.PairKey(smaller.id)
}

// confirmed gives the key that the larger one said it has.
func confirmed(smaller, larger *node) device.PairKey {
	smaller.Engine.mu.Lock()
	defer smaller.Engine.mu.Unlock()
	return smaller.Engine.keyKnown[larger.id]
}

func TestTwoDevicesAgreeOnAKeyAndKeepIt(t *testing.T) {
	smaller, larger := keyPair(t)
	smaller.knows(larger)
	larger.knows(smaller)
	smaller.await("a key that is confirmed", func(status.Snapshot) bool {
		return agree(smaller, larger) && confirmed(smaller, larger) == smaller.keys.PairKey(larger.id)
	})
	if n := smaller.keys.stores + larger.keys.stores; n != 2 {
		t.Errorf("keys were stored %d times, want once on each", n)
	}
}

func TestAKeyThatWasNotStoredIsNotConfirmedAndToldAgain(t *testing.T) {
	smaller, larger := keyPair(t)
	larger.keys.setFull(true)
	smaller.knows(larger)
	larger.knows(smaller)
	larger.await("the key to store", func(status.Snapshot) bool {
		larger.keys.mu.Lock()
		defer larger.keys.mu.Unlock()
		return larger.keys.stores > 0
	})
	if key := confirmed(smaller, larger); !key.IsZero() {
		t.Error("a key is confirmed that is not stored")
	}
	larger.keys.setFull(false)
	smaller.givePairKey(smaller.Engine.peer(larger.id)) // as on the next connection
	smaller.await("a key", func(status.Snapshot) bool { return agree(smaller, larger) })
}

func TestPairKeyMessagesThatAreRefused(t *testing.T) {
	for name, body := range map[string][]byte{
		"empty":         {},
		"a short key":   {0x0a, 2, 1, 2},
		"a zero key":    append([]byte{0x0a, 32}, make([]byte, 32)...),
		"cut off":       {0x0a, 32, 1},
		"both":          append(append([]byte{0x0a, 32}, 1), append(make([]byte, 31), 0x10, 1)...),
		"nothing known": {0x10, 0},
		"a group":       {0x0b},
	} {
		if key, known, err := readPairKey(body); err == nil {
			t.Errorf("%s: read as %x, %v", name, [32]byte(key), known)
		}
	}
	key := append(append([]byte{0x0a, 32}, 1), append(make([]byte, 31), 0x78, 5)...) // and a field of a later version
	if got, known, err := readPairKey(key); err != nil || known || got != (device.PairKey{1}) {
		t.Errorf("%x, %v, %v", [32]byte(got), known, err)
	}
}

func FuzzPairKey(f *testing.F) {
	f.Add(append([]byte{0x0a, 32}, make([]byte, 32)...))
	f.Add([]byte{0x10, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if key, known, err := readPairKey(b); err == nil && known == !key.IsZero() {
			t.Errorf("%x, %v", [32]byte(key), known)
		}
	})
}
