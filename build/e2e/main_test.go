//go:build unix

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// patience bounds every wait for something that takes a moment; copying much
// data has bounds of its own.
const patience = 90 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv("LANYARD_E2E") == "" {
		fmt.Println("not run: the acceptance tests need LANYARD_E2E=1 (make test sets it)")
		return
	}
	if _, err := exec.LookPath("syncthing"); err != nil && os.Getenv("CI") == "" {
		defer fmt.Println("not run: the interop tests need syncthing")
	}
	m.Run()
	for _, f := range atEnd {
		f()
	}
}

// atEnd is called when all tests have ended.
var atEnd []func()

// long reports whether the long tier was asked for.
func long() bool { return os.Getenv("LANYARD_LONG") != "" }

// eventually waits until cond gives no error, and fails the test with its last
// error when the time is over. It logs how long that took.
func eventually(t *testing.T, within time.Duration, what string, cond func() error) {
	t.Helper()
	t.Logf("%s: %v", what, await(t, within, what, cond).Round(time.Millisecond))
}

// await is eventually that gives how long it took, and logs nothing.
func await(t *testing.T, within time.Duration, what string, cond func() error) time.Duration {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := cond()
		if err == nil {
			return time.Since(start)
		}
		if time.Since(start) > within {
			t.Fatalf("%s: not within %v: %v", what, within, err)
		}
		<-tick.C
	}
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
