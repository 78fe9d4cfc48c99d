package transport

import (
	"testing"

	"github.com/quic-go/quic-go"
)

func TestWindowsGrowOnlyForAdmittedDevicesAndWithinTheBudget(t *testing.T) {
	b := newWindowBudget(100)
	stranger, friend := &quic.Conn{}, &quic.Conn{}
	b.open(stranger, false)
	b.open(friend, true)
	steps := []struct {
		what  string
		grown bool
		want  bool
	}{
		{"a stranger's window", b.grow(stranger, 10), false},
		{"a window of a connection that is not registered", b.grow(&quic.Conn{}, 10), false},
		{"a friend's window", b.grow(friend, 60), true},
		{"a friend's window beyond the budget", b.grow(friend, 60), false},
	}
	for _, step := range steps {
		if step.grown != step.want {
			t.Errorf("%s: grew %v, want %v", step.what, step.grown, step.want)
		}
	}
	b.admit(stranger)
	b.close(friend)
	if !b.grow(stranger, 100) {
		t.Error("an admitted stranger got nothing of what another connection gave back")
	}
	b.close(stranger)
	if b.free != 100 || len(b.shares) != 0 {
		t.Errorf("in the end %d of 100 bytes are free and %d shares open", b.free, len(b.shares))
	}
}
