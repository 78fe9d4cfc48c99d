//go:build unix

package web

import "testing"

func TestOnlyTheSameUserAndRootMayConnect(t *testing.T) {
	tests := []struct {
		peer, own int
		want      bool
	}{
		{1000, 1000, true},
		{0, 1000, true},
		{1001, 1000, false},
		{1000, 0, false},
		{0, 0, true},
	}
	for _, tt := range tests {
		if got := mayConnect(tt.peer, tt.own); got != tt.want {
			t.Errorf("user %d to a program of user %d: got %v, want %v", tt.peer, tt.own, got, tt.want)
		}
	}
}
