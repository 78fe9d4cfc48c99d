package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lanyard/app/node/nodetest"
	"lanyard/app/service"
	"lanyard/sync/status"
)

func TestAReportNamesNobodyAndNothing(t *testing.T) {
	e := nodetest.New()
	s := start(t, e)
	addPeers(t, s)
	dir := filepath.Join(t.TempDir(), "Tax-returns")
	if _, err := s.AddFolder(t.Context(), service.NewShare{Path: dir, ID: "tax-1985", Label: "Tax of Winston"}); err != nil {
		t.Fatal(err)
	}
	e.Change(func(s *status.Snapshot) {
		s.Folders[0].Problems = []status.Problem{{Code: "disk-full", Text: "The disk with Tax-returns is full", Param: map[string]string{"path": dir}}}
		s.Folders[0].Failed = []status.Failed{{Name: "letter-to-julia.odt", Code: "file-in-use"}}
		s.Devices[0].Address, s.Devices[0].Client = "quic://192.168.7.9:22000", "lanyard 0.1 of Winston"
		s.Problems = []status.Problem{{Code: "network-untrusted", Param: map[string]string{"network": "Ministry-WLAN"}}}
	})
	home := filepath.Dir(e.Options().StateDir)
	log := `time=2026-11-21T10:00:00.000Z level=WARN msg="a file waits" component=pull file="letter to julia.odt" n=3 took=1.5s error="open /home/winston/x: denied"
time=2026-11-21T10:00:01.000Z level=INFO msg=running device=ABCDEFG address=quic://192.168.7.9:22000
a line of another program: winston
`
	if err := os.WriteFile(filepath.Join(home, "log"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := s.Support(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"disk-full"`, `"file-in-use": 1`, `"version": "test"`, `msg="a file waits" component=pull file=- n=3 took=1.5s error=-`, "msg=running device=- address=-"} {
		if !strings.Contains(report.Text, want) {
			t.Errorf("the report lacks %s:\n%s", want, report.Text)
		}
	}
	lower := strings.ToLower(report.Text)
	for _, secret := range []string{"winston", "tax", "julia", "192.168", "ministry", "abcdefg", nas.String()[:7], strings.ToLower(nas.String()[:7]), `"nas"`, "phone", dir} {
		if strings.Contains(lower, strings.ToLower(secret)) {
			t.Errorf("the report tells %q:\n%s", secret, report.Text)
		}
	}
}
