package folder

import "testing"

func TestWhatPassesByItself(t *testing.T) {
	tests := []struct{ name, script string }{
		{"on a full disk a pull follows once there is room, and no scan", scannedOnce + `
			remote
			> pull
			pulled space 1000
			wakes 10s
			+10s
			> look for room
			room 1049
			wakes 10s
			+10s
			> look for room
			room 1050
			> pull
			pulled changed
			wakes 59m40s`},
		{"where there is room and nothing fits all the same, it is looked for ever less", scannedOnce + `
			remote
			> pull
			pulled space 1000
			wakes 10s
			+10s
			> look for room
			room 5000
			> pull
			pulled space 1000
			wakes 20s
			+20s
			> look for room
			room 5000
			> pull
			pulled space 1000
			wakes 40s
			+40s
			> look for room
			room 5000
			> pull
			pulled space 1000
			wakes 1m0s`},
		{"news are pulled on a full disk: they may make room", scannedOnce + `
			remote
			> pull
			pulled space 1000
			remote
			> pull
			pulled changed
			wakes 1h0m0s`},
		{"a scan that the full disk ended is made up for, and no more", scannedOnce + `
			ask 1 a b
			> scan a b
			notice c
			scanned failed folder
			> finish 1 failed
			wakes 10s
			+10s
			> reopen
			stopped
			wakes 10s
			+10s
			> reopen
			opened same
			> scan a b c
			> pull`},
		{"a full scan that the full disk ended begins anew", scannedOnce + `
			ask 1
			> scan all
			scanned failed folder
			> finish 1 failed
			+10s
			> reopen
			opened same
			> scan all
			> pull`},
		{"after the root was in doubt everything is scanned", scannedOnce + `
			ask 1 a
			> scan a
			scanned failed root
			> finish 1 failed
			+10s
			> reopen
			opened same
			> scan all`},
		{"a root that was opened anew is scanned whole", scannedOnce + `
			ask 1 a
			> scan a
			scanned failed folder
			> finish 1 failed
			+10s
			> reopen
			opened
			> scan all`},
		{"what is in use is tried again after 1 s, 2 s … 1 min", scannedOnce + `
			ask 1 a b
			> scan a b
			scanned busy a
			> finish 1
			> pull
			pulled
			wakes 1s
			+1s
			> scan a
			scanned busy a
			> pull
			pulled
			wakes 2s
			+2s
			> scan a
			scanned busy a
			> pull
			pulled
			wakes 4s
			+4s
			> scan a
			scanned
			> pull
			pulled
			wakes 59m53s`},
		{"a directory in use is not looked into before its time, one name in it is", scannedOnce + `
			ask 1 d
			> scan d
			scanned busy d
			> finish 1
			> pull
			pulled
			ask 2 d/a
			> scan d/a
			scanned
			> finish 2
			> pull
			pulled
			+1s
			> scan d`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { run(t, test.script) })
	}
}
