package folder

import "testing"

// scannedOnce brings a machine to rest after its first full scan and pull.
const scannedOnce = `
	opened
	> scan all
	scanned
	> pull
	pulled
`

func TestOpening(t *testing.T) {
	tests := []struct{ name, script string }{
		{"an open folder is scanned in full, and only then pulled", `
			remote
			opened
			> scan all
			remote
			peers
			+1m
			scanned
			> pull`},
		{"a folder that did not open looks again every 10 s", `
			stopped
			wakes 10s
			+9s
			+1s
			> reopen
			wakes never
			stopped
			+10s
			> reopen
			opened
			> scan all`},
		{"a folder that is opened again is scanned in full before it is pulled", scannedOnce + `
			stopped
			remote
			+10s
			> reopen
			opened
			> scan all
			scanned
			> pull`},
		{"what happens while it is stopped is not forgotten", scannedOnce + `
			stopped
			notice a
			+10s
			> reopen
			opened
			> scan all`},
		{"nothing is begun while it is stopped", scannedOnce + `
			stopped
			notice a
			remote
			peers
			+5s
			wakes 5s`},
		{"a scan that finds the folder broken stops it", `
			opened
			> scan all
			scanned failed folder
			wakes 10s
			+10s
			> reopen`},
		{"a pull that finds the folder broken stops it", scannedOnce + `
			remote
			> pull
			pulled stop
			+10s
			> reopen`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}

func TestQuietTimes(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a name at rest is scanned 40 ms after its last event", scannedOnce + `
			notice a
			wakes 40ms
			+30ms
			notice a
			+39ms
			+1ms
			> scan a`},
		{"a file that was renamed into place is scanned after 10 ms", scannedOnce + `
			notice a:settled
			+9ms
			+1ms
			> scan a`},
		{"a directory in which anything may have changed is scanned after 40 ms", scannedOnce + `
			notice dir:subtree
			+40ms
			> scan dir`},
		{"a name that changes again soon waits longer each time", scannedOnce + `
			notice a
			+40ms
			> scan a
			scanned
			> pull
			pulled
			notice a
			+249ms
			+1ms
			> scan a
			scanned
			> pull
			pulled
			notice a
			+499ms
			+1ms
			> scan a
			scanned
			> pull
			pulled
			notice a
			+999ms
			+1ms
			> scan a
			scanned
			> pull
			pulled
			notice a
			+999ms
			+1ms
			> scan a`},
		{"a name that rested for 2 s is at rest again", scannedOnce + `
			notice a
			+40ms
			> scan a
			scanned
			> pull
			pulled
			+2s
			notice a
			+40ms
			> scan a`},
		{"a name that never rests is scanned after 10 s all the same", scannedOnce + `
			` + restless(256, "notice a\n+39ms\n") + `
			+16ms
			> scan a`},
		{"names that are due together are scanned together, in order", scannedOnce + `
			notice b a c:settled
			+10ms
			> scan c
			scanned
			> pull
			pulled
			+30ms
			> scan a b`},
		{"a name that was removed joins the next scan, for it may be half of a rename", scannedOnce + `
			notice old:removed
			+10ms
			notice new:settled
			+10ms
			> scan new old`},
		{"a name that was removed does not join a scan of what was noticed before, ahead of its other half", scannedOnce + `
			notice early
			+39ms
			notice old:removed
			+1ms
			> scan early
			scanned
			> pull
			pulled
			notice new:settled
			+10ms
			> scan new old`},
		{"a file that keeps being renamed into place is scanned at once each time", scannedOnce + `
			` + restless(5, "notice a:settled\n+10ms\n> scan a\nscanned\n> pull\npulled\n") + `
			wakes 59m59.95s`},
		{"a name that came back is not hurried", scannedOnce + `
			notice a:removed
			notice a b:settled
			+10ms
			> scan b`},
		{"names that moved under a scan are scanned again", scannedOnce + `
			notice a
			+40ms
			> scan a
			scanned again a
			> pull
			pulled
			+250ms
			> scan a`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}

// restless repeats lines n times.
func restless(n int, lines string) string {
	out := ""
	for range n {
		out += lines
	}
	return out
}

func TestFullScans(t *testing.T) {
	tests := []struct{ name, script string }{
		{"everything is scanned every hour", scannedOnce + `
			wakes 1h0m0s
			+59m
			+1m
			> scan all
			scanned
			> pull
			pulled
			wakes 1h0m0s`},
		{"an overflow of the watcher means everything, at once", scannedOnce + `
			notice all
			> scan all`},
		{"a full scan takes the single names with it", scannedOnce + `
			notice a b
			notice all
			> scan all
			+1s
			scanned
			> pull
			pulled
			wakes 1h0m0s`},
		{"names that change during a scan wait for the next", scannedOnce + `
			notice all
			> scan all
			notice a
			+1s
			scanned
			> scan a
			> pull`},
		{"a scan that failed is tried again after 10 s, in full", scannedOnce + `
			notice a
			+40ms
			> scan a
			scanned failed retry
			wakes 10s
			notice b
			+9s
			+1s
			> scan all`},
		{"a full scan that failed is not tried again at once", `
			opened
			> scan all
			scanned failed retry
			wakes 10s
			+10s
			> scan all
			scanned
			> pull`},
		{"a person's wish is tried at once, whatever failed", `
			opened
			> scan all
			scanned failed retry
			ask 1
			> scan all
			scanned
			> finish 1
			> pull`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}

func TestTickets(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a wish for names is done at once and answered", scannedOnce + `
			ask 1 b a
			> scan a b
			scanned
			> finish 1
			> pull`},
		{"a wish for everything is answered by a full scan", scannedOnce + `
			ask 1
			> scan all
			scanned
			> finish 1
			> pull`},
		{"a wish during a scan is answered by the next", scannedOnce + `
			notice all
			> scan all
			ask 1 a
			scanned
			> scan a
			> pull
			scanned
			> finish 1
			> refresh
			pulled
			> pull`},
		{"a wish is not put off by further events of its name", scannedOnce + `
			notice all
			> scan all
			ask 1 a
			notice a
			notice b:settled
			+10ms
			scanned
			> scan a b
			> pull`},
		{"a failed scan answers with its error", scannedOnce + `
			ask 1
			> scan all
			scanned failed retry
			> finish 1 failed`},
		{"a stopped folder refuses at once", scannedOnce + `
			stopped
			ask 1
			> finish 1 failed`},
		{"a wish to a folder that is opening is answered by its first scan", `
			ask 1 a
			opened
			> scan all
			scanned
			> finish 1
			> pull`},
		{"a folder that does not open refuses what waits", `
			ask 1
			stopped
			> finish 1 failed`},
		{"a folder that stops refuses what waits", scannedOnce + `
			notice all
			> scan all
			ask 1 a
			ask 2
			stopped
			> finish 1 failed
			> finish 2 failed
			scanned failed folder`},
		{"a folder that stops under a scan answers whoever waits for it", scannedOnce + `
			ask 1
			> scan all
			ask 2
			scanned failed folder
			> finish 1 failed
			> finish 2 failed`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}

func TestPulls(t *testing.T) {
	tests := []struct{ name, script string }{
		{"news of another device is pulled at once", scannedOnce + `
			remote
			> pull`},
		{"news during a pull is told to it, and pulled after it in any case", scannedOnce + `
			remote
			> pull
			remote
			> refresh
			peers
			> refresh
			pulled
			> pull
			pulled`},
		{"a round that found the ground moving runs again", scannedOnce + `
			remote
			> pull
			pulled again
			> pull`},
		{"names that were not as recorded are scanned", scannedOnce + `
			remote
			> pull
			pulled rescan a b
			> scan a b`},
		{"what passes by itself is tried again after 1 s, 2 s … 1 min", scannedOnce + `
			remote
			> pull
			pulled failed retry
			wakes 1s
			+1s
			> pull
			pulled failed retry
			wakes 2s
			+2s
			> pull
			pulled failed retry
			wakes 4s
			+4s
			> pull
			pulled failed retry
			+8s
			> pull
			pulled failed retry
			+16s
			> pull
			pulled failed retry
			+32s
			> pull
			pulled failed retry
			wakes 1m0s
			+1m
			> pull
			pulled failed retry
			wakes 1m0s`},
		{"what somebody must mend is tried again after 1 min, 2 min …", scannedOnce + `
			remote
			> pull
			pulled failed item
			wakes 1m0s
			+1m
			> pull
			pulled failed item
			wakes 2m0s`},
		{"a round that brought something begins the pauses anew", scannedOnce + `
			remote
			> pull
			pulled failed retry
			+1s
			> pull
			pulled failed retry
			+2s
			> pull
			pulled changed failed retry
			wakes 1s`},
		{"a device that comes ends the pause", scannedOnce + `
			remote
			> pull
			pulled failed item
			+1s
			peers
			> pull
			pulled failed item
			wakes 1m0s`},
		{"a name that no scan explains waits longer each time", scannedOnce + `
			remote
			> pull
			pulled rescan a
			> scan a
			scanned
			> pull
			pulled rescan a
			> scan a
			scanned
			> pull
			pulled rescan a
			wakes 1s
			+1s
			> scan a
			scanned
			> pull
			pulled rescan a
			wakes 2s`},
		{"a round that left nothing undone is not repeated", scannedOnce + `
			remote
			> pull
			pulled failed retry
			+1s
			> pull
			pulled
			wakes 59m59s`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}
