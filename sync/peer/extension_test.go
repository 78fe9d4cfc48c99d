package peer

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
)

// extendedPair is a connected pair that agreed on lanyard/1.
func extendedPair(t *testing.T) (ours, theirs *endpoint) {
	t.Helper()
	a, b := newPipe()
	a.extended, b.extended = true, true
	ours, theirs = start(t, a, ourID), start(t, b, theirID)
	ours.peer.Configure(photos(ourID, theirID, 0))
	theirs.peer.Configure(photos(theirID, ourID, 0))
	synctest.Wait()
	return ours, theirs
}

func said(body string) *bep.Extension {
	return &bep.Extension{Type: bep.TypeExtensionFirst, Body: []byte(body)}
}

func TestExtensionMessagesArriveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := extendedPair(t)
		for _, body := range []string{"one", "two", ""} {
			if !ours.peer.Tell(said(body)) {
				t.Errorf("%q was not sent", body)
			}
		}
		synctest.Wait()
		if want := []string{"one", "two", ""}; !slices.Equal(theirs.host.told, want) {
			t.Errorf("arrived are %q, want %q", theirs.host.told, want)
		}
		if n := theirs.stream.held.messages; n != 0 {
			t.Errorf("%d are still held", n)
		}
		ours.peer.Close("")
		ours.finish(t)
		theirs.finish(t)
		if ours.peer.Tell(said("late")) && len(theirs.host.told) != 3 {
			t.Error("a message went over a connection that is gone")
		}
	})
}

func TestAnExtensionMessageOfNonsenseEndsTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := extendedPair(t)
		ours.peer.Tell(said("nonsense"))
		if err := theirs.finish(t); fault.KindOf(err) != fault.Peer {
			t.Errorf("it ended with %v, want a fault of the device", err)
		}
		if err := ours.finish(t); !strings.Contains(err.Error(), "nonsense") {
			t.Errorf("the device is told %v", err)
		}
	})
}

func TestAPlainConnectionCarriesNoExtension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		if ours.peer.Tell(said("one")) {
			t.Error("it was sent to a device that does not speak it")
		}
		ours.peer.Close("")
		ours.finish(t)
		theirs.finish(t)
	})
}

func TestNothingIsToldBeforeTheClusterConfig(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := NewSession(ourID, theirID, now)
	m := &bep.Extension{Type: 100}
	if out := s.Step(now, Tell{m}); len(out) > 0 {
		t.Errorf("before it, %v is sent", out)
	}
	out := s.Step(now, Configure{})
	if len(out) != 2 {
		t.Fatalf("with it, %v is sent", out)
	}
	first, ok := out[0].(Send)
	second, ok2 := out[1].(Send)
	if _, cc := first.Message.(*bep.ClusterConfig); !ok || !cc || !ok2 || second.Message != bep.Message(m) {
		t.Errorf("sent %v and %v", out[0], out[1])
	}
	if out := s.Step(now, Tell{m}); len(out) != 1 {
		t.Errorf("after it, %v is sent", out)
	}
}
