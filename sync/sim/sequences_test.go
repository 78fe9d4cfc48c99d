package sim_test

import (
	"flag"
	"fmt"
	"testing"

	"lanyard/sync/sim"
)

var opsFlag = flag.Int("ops", 1, "how many acts the sequences have at most")

// Whatever one to three acts lead to, and wherever the power fails meanwhile:
// the devices agree in the end, and nothing is lost.
func TestAPowerCutAtAnyPointOfAShortSequence(t *testing.T) {
	for _, devices := range []int{1, 2} {
		s, err := sim.NewSequences(sim.Options{Seed: 1, Devices: devices})
		if err != nil {
			t.Fatal(err)
		}
		first := s.Acts()[:len(s.Acts())/devices] // devices are alike: the first act is on the first
		for _, act := range first {
			t.Run(fmt.Sprintf("%d devices, %s", devices, act.Name), func(t *testing.T) {
				t.Parallel()
				runs := 0
				grow(t, s, []sim.Act{act}, &runs)
				t.Logf("%d runs", runs)
			})
		}
	}
}

// grow runs a sequence in every way, and then every longer one.
func grow(t *testing.T, s *sim.Sequences, acts []sim.Act, runs *int) {
	for _, rests := range []bool{false, true} {
		if rests && len(acts) == 1 {
			continue
		}
		// What is before the last act was gone through with the shorter sequence.
		points, before, err := s.Run(acts, rests, 0)
		for n := before + 1; n <= points && err == nil; n++ {
			_, _, err = s.Run(acts, rests, n)
			*runs++
		}
		if err != nil {
			t.Fatalf("rests %v: %v", rests, err)
		}
	}
	if len(acts) < *opsFlag {
		for _, next := range s.Acts() {
			grow(t, s, append(acts[:len(acts):len(acts)], next), runs)
		}
	}
}
