package folder

import "testing"

func TestDeletionsThatWaitOrAreHeld(t *testing.T) {
	tests := []struct{ name, script string }{
		{"deletions that wait for more are pulled again after a while", scannedOnce + `
			remote
			> pull
			pulled later 1s
			wakes 1s
			+999ms
			+1ms
			> pull
			pulled`},
		{"news do not put them off", scannedOnce + `
			remote
			> pull
			pulled later 1s
			+500ms
			remote
			> pull
			pulled later 500ms
			+500ms
			> pull`},
		{"a decision is carried out by a scan and a pull, at once", scannedOnce + `
			decided
			> scan all
			> pull`},
		{"a folder whose files are all gone looks once a minute", scannedOnce + `
			notice all
			> scan all
			scanned failed empty
			+59s
			+1s
			> reopen
			opened
			> scan all
			scanned failed empty
			+1s
			decided
			> reopen
			opened
			> scan all
			scanned
			> pull`},
		{"a decision while the folder opens waits for that", `
			decided
			opened
			> scan all
			scanned
			> pull`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}
