package bep

import (
	"testing"

	"pgregory.net/rapid"
)

func TestABufferHoldsWhatWasAskedFor(t *testing.T) {
	b := NewBuffers(0)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, MaxRequestSize).Draw(t, "size")
		p := b.Get(size)
		if len(p) != size || cap(p) > max(smallBuffer, firstBuffer, 2*size) {
			t.Fatalf("Get(%d) has length %d and capacity %d", size, len(p), cap(p))
		}
		b.Put(p)
		if again := b.Get(size); size > 0 && &again[0] != &p[0] {
			t.Fatalf("Get(%d) after Put gave other memory", size)
		}
	})
}

const firstBuffer = 1 << firstPower

func TestEveryClassHoldsItsOwnSize(t *testing.T) {
	for class := range numClasses {
		size := classSize(class)
		if classFor(size) != class {
			t.Errorf("a buffer of %d bytes is of class %d, want %d", size, classFor(size), class)
		}
		if class+1 < numClasses && classFor(size+1) != class+1 {
			t.Errorf("%d bytes are of class %d, want %d", size+1, classFor(size+1), class+1)
		}
	}
}

func TestIdleBuffersStayWithinTheirBudget(t *testing.T) {
	b := NewBuffers(1 << 20)
	lent := make([][]byte, 20)
	for i := range lent {
		lent[i] = b.Get(128 << 10)
	}
	for _, p := range lent {
		b.Put(p)
	}
	if b.Idle() != 1<<20 {
		t.Errorf("%d bytes idle, want the budget of 1 MiB", b.Idle())
	}
	for range lent {
		b.Get(128 << 10)
	}
	if b.Idle() != 0 {
		t.Errorf("%d bytes idle after all were lent, want 0", b.Idle())
	}
}

func TestAFullListOfBuffersDropsWhatComes(t *testing.T) {
	b := NewBuffers(1 << 40)
	for range perClass + 10 {
		b.Put(make([]byte, 0, smallBuffer))
	}
	if want := int64(perClass * smallBuffer); b.Idle() != want {
		t.Errorf("%d bytes idle, want %d", b.Idle(), want)
	}
}

func TestSlicesFromElsewhereAreNotKept(t *testing.T) {
	b := NewBuffers(0)
	for _, p := range [][]byte{nil, make([]byte, 5), make([]byte, smallBuffer+1), b.Get(100)[1:], make([]byte, MaxRequestSize+1)} {
		b.Put(p)
	}
	if b.Idle() != 0 {
		t.Errorf("%d bytes idle, want 0", b.Idle())
	}
}

func TestReleasingAResponseTwiceIsFound(t *testing.T) {
	b := NewBuffers(0)
	m := b.response()
	b.Release(m)
	defer func() {
		if recover() == nil {
			t.Error("the second Release did not panic")
		}
	}()
	b.Release(m)
}

func TestDataTakenOutOfAResponseOutlivesIt(t *testing.T) {
	b := NewBuffers(0)
	m := b.response()
	m.Data = b.Get(10)
	data := m.Data
	m.Data = nil
	b.Release(m)
	if other := b.Get(10); &other[0] == &data[0] {
		t.Error("data still in use was lent again")
	}
}
