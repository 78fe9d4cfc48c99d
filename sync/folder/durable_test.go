package folder

import (
	"testing"
	"time"
)

func TestAClockThatWasSetIsNotSteady(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name           string
		after          time.Duration // of even time since the look before
		wall           time.Duration // that the clock went on meanwhile
		jumped, steady bool
	}{
		{"nothing is known of what was before", 0, 0, false, false},
		{"it goes on", time.Minute, time.Minute, false, false},
		{"it went on for long enough", time.Minute, time.Minute, false, true},
		{"it is adjusted a little", time.Hour, time.Hour + 300*time.Millisecond, false, true},
		{"it is set a year forth", time.Second, 365 * 24 * time.Hour, true, false},
		{"what was saved then may not be on the disk yet", time.Minute, time.Minute, false, false},
		{"by now it is", time.Minute, time.Minute, false, true},
		{"it is set back", time.Second, -365 * 24 * time.Hour, true, false},
	}
	var c steadyClock
	now, wall := start, start
	for _, tt := range tests {
		now, wall = now.Add(tt.after), wall.Add(tt.wall)
		if jumped, steady := c.look(now, wall); jumped != tt.jumped || steady != tt.steady {
			t.Errorf("%s: jumped %v, steady %v, want %v, %v", tt.name, jumped, steady, tt.jumped, tt.steady)
		}
	}
}
