package folder

import "testing"

func TestMending(t *testing.T) {
	tests := []struct{ name, script string }{
		{"an index that lost something is whole after a scan and the news of others, and then it is pulled", `
			recovering
			opened
			> scan all
			remote
			scanned
			> mend
			mended waiting
			remote
			> mend
			mended
			> pull`},
		{"nobody is waited for longer than two minutes after the scan", `
			recovering
			opened
			> scan all
			+10m
			scanned
			> mend
			mended waiting
			wakes 2m0s
			peers
			> mend
			mended waiting
			+2m
			> mend late
			mended
			> pull`},
		{"what comes while it looks is looked at", `
			recovering
			opened
			> scan all
			scanned
			> mend
			remote
			mended waiting
			> mend
			mended
			> pull`},
		{"if it fails it is tried again", `
			recovering
			opened
			> scan all
			scanned
			> mend
			mended failed
			wakes 10s
			+10s
			> mend late
			mended
			> pull`},
		{"what changes meanwhile is scanned", `
			recovering
			opened
			> scan all
			scanned
			> mend
			mended waiting
			notice a
			+40ms
			> scan a
			scanned
			mended waiting`},
		{"a folder that stops meanwhile goes on with it when it is opened", `
			recovering
			opened
			> scan all
			scanned
			> mend
			mended waiting
			stopped
			+10s
			> reopen
			recovering
			opened
			> scan all
			scanned
			> mend
			mended
			> pull`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.script) })
	}
}

func TestAFolderIsNotAtRestBeforeItsIndexIsWhole(t *testing.T) {
	m := NewMachine(-1)
	for _, ev := range []Event{Recovering{}, Opened{}, ScanDone{}, Mended{}} {
		m.Step(start, ev)
	}
	if scanning, _, _ := m.Busy(); !scanning {
		t.Error("it rests while others are waited for")
	}
	m.Step(start, Mended{Done: true})
	m.Step(start, PullDone{})
	if scanning, pulling, _ := m.Busy(); scanning || pulling {
		t.Error("it does not come to rest")
	}
}
