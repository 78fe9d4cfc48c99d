//go:build unix

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The transfer that is interrupted, and how much of it may be sent again for
// each time that it is.
const (
	killedFiles = 5000
	killedEach  = 5 // times each side is killed in one transfer
	resentMost  = 64 << 20
)

// killedBig are the sizes of the big files: 1 GiB in all.
var killedBig = []int{512 << 20, 256 << 20, 128 << 20, 128 << 20}

// TestATransferGoesOnAfterEitherSideIsKilled kills the receiver and the sender,
// each of them five times, at random moments of a transfer of 1 GiB and 5,000
// files, some of which replace older ones. The long form does it five times.
// LANYARD_SEED repeats the moments of a run.
func TestATransferGoesOnAfterEitherSideIsKilled(t *testing.T) {
	rounds := 1
	if long() {
		rounds = 5
	}
	seed := killSeed(t)
	for i := range rounds {
		t.Run(fmt.Sprintf("seed %d", seed+uint64(i)), func(t *testing.T) { killedTransfer(t, seed+uint64(i)) })
	}
}

// killSeed gives the seed that was asked for, or a new one.
func killSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("LANYARD_SEED")
	if text == "" {
		return rand.Uint64N(1 << 32)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	must(t, err)
	return seed
}

func killedTransfer(t *testing.T, seed uint64) {
	a, b := newLanyard(t, "a"), newLanyard(t, "b")
	rng := rand.New(rand.NewPCG(seed, 0))
	old := filepath.Join(filepath.Dir(a.dir), "old")
	spread(t, old, rng, killedFiles/10, killedBig[3:])
	copyTree(t, old, a.dir)
	connect(t, a, b, direction{"both dial", true, true})
	converge(t, copying, a, b)
	a.Stop(t)
	b.Stop(t)

	names, size := spread(t, a.dir, rng, killedFiles, killedBig)
	c := newCrossing(b.dir, names, old, a.dir)
	must(t, c.look())
	if len(c.seen) != killedFiles/10+1 {
		t.Fatalf("%d files were there before, want %d", len(c.seen), killedFiles/10+1)
	}
	c.watch(t)
	started := time.Now()
	k := &killing{t: t, a: a, b: b, c: c, size: size, rng: rng, began: started}
	a.Start(t)
	b.Start(t)
	for i, at := range k.moments() {
		k.interrupt(i, at)
	}
	want, err := readTree(a.dir)
	must(t, err)
	got := converge(t, copying, a, b)
	k.counted("end", b.received(t)-k.received)
	if diff := want.diff(got); diff != "" {
		t.Errorf("after all, - wanted, + got:\n%s", diff)
	}
	t.Logf("%d MiB in %d files, killed %d times, took %v: %d MiB were sent again in all, at most %.1f MiB after one of them",
		size>>20, len(names), 2*killedEach, time.Since(started).Round(time.Millisecond), k.again>>20, float64(k.worst)/(1<<20))
}

// spread writes big files and many small ones, and gives their names and the
// sum of their sizes.
func spread(t *testing.T, root string, rng *rand.Rand, small int, big []int) (names []string, size int64) {
	t.Helper()
	put := func(name string, n int) {
		write(t, root, name, random(n, rng.Uint64()))
		names, size = append(names, name), size+int64(n)
	}
	for i := range small {
		n := 200 + rng.IntN(30_000)*rng.IntN(30_000)/30_000
		put(fmt.Sprintf("a/%02d/file %d", i%50, i), n)
	}
	for i, n := range big {
		put(fmt.Sprintf("big/%d", len(killedBig)-len(big)+i), n)
	}
	return names, size
}

// killing kills and counts.
type killing struct {
	t     *testing.T
	a, b  *lanyard
	c     *crossing
	size  int64
	rng   *rand.Rand
	began time.Time

	there          int64 // bytes that had arrived when the part began that is counted now
	received, sent int64 // the counters at that time
	again, worst   int64
}

// moment is when a side is killed.
type moment struct {
	at       int64 // bytes received
	receiver bool
}

// moments draws when which side is killed: the first of each while the index
// and the first files come, the others anywhere.
func (k *killing) moments() []moment {
	var all []moment
	for i := range 2 * killedEach {
		at := int64(k.rng.Float64() * 0.9 * float64(k.size))
		if i < 2 {
			at /= 40
		}
		all = append(all, moment{at, i%2 == 0})
	}
	slices.SortFunc(all, func(x, y moment) int { return int(x.at - y.at) })
	return all
}

// interrupt kills one side when so much has arrived, counts what that part of
// the transfer sent in vain, and starts it again.
func (k *killing) interrupt(i int, m moment) {
	t := k.t
	until(t, copying, "more data", func() bool {
		return k.there+k.b.received(t)-k.received >= m.at
	})
	<-time.After(time.Duration(k.rng.Int64N(int64(50 * time.Millisecond))))
	what, victim := fmt.Sprintf("%d: sender", i+1), k.a
	if m.receiver {
		what, victim = fmt.Sprintf("%d: receiver", i+1), k.b
	}
	victim.Kill()
	if m.receiver {
		sent := k.a.given(t)
		k.counted(what, sent-k.sent)
		k.received, k.sent = 0, sent
	} else {
		received := k.rest()
		k.counted(what, received-k.received)
		k.received, k.sent = received, 0
	}
	if k.there >= k.size {
		t.Fatalf("%s: the transfer was over before it could be interrupted", what)
	}
	victim.Start(t)
}

// rest waits until the receiver has taken what had reached it before its sender
// was killed, and gives its count.
func (k *killing) rest() int64 {
	last, again := int64(-1), 0
	until(k.t, patience, "the receiver's rest", func() bool {
		now := k.b.received(k.t)
		if now != last {
			last, again = now, 0
		}
		again++
		return again > 20
	})
	return last
}

// counted compares what came over the wire in one part of the transfer with
// what is there because of it. The difference was sent in vain: besides the
// index, blocks that were sent before or will be sent again.
func (k *killing) counted(what string, came int64) {
	k.t.Helper()
	there, err := k.c.arrived()
	must(k.t, err)
	again := came - (there - k.there)
	k.t.Logf("%v %-12s %7.1f MiB there, %6.1f MiB came, %5.1f MiB of them in vain", time.Since(k.began).Round(time.Millisecond), what,
		float64(there)/(1<<20), float64(came)/(1<<20), float64(again)/(1<<20))
	if again > resentMost {
		k.t.Errorf("%s: %d MiB came in vain, want at most %d", what, again>>20, resentMost>>20)
	}
	k.there, k.again, k.worst = there, k.again+max(again, 0), max(k.worst, again)
}

func (l *lanyard) received(t *testing.T) int64 {
	t.Helper()
	in, _ := l.Traffic(t)
	return in
}

func (l *lanyard) given(t *testing.T) int64 {
	t.Helper()
	_, out := l.Traffic(t)
	return out
}
