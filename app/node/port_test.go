package node

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
	"lanyard/sync/transport"
)

func TestAPortThatIsTakenIsGivenUpAndTold(t *testing.T) {
	// Whoever has it, this test or another program, it is taken.
	if other, err := net.ListenUDP("udp", &net.UDPAddr{Port: transport.DefaultPort}); err == nil {
		defer other.Close()
	}
	certPEM, keyPEM, err := device.NewCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, id, err := device.LoadCertificate(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(EngineOptions{ID: id, Certificate: cert, StateDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer runOnce(t, e)
	p := statustest.Shown(t, e.Snapshot().Problems, "port-taken")
	if p.Param["port"] != "22000" || p.Param["other"] == "22000" || p.Severity != status.Wait {
		t.Errorf("told is %+v", p)
	}
}

// runOnce closes what an engine opened.
func runOnce(t *testing.T, e Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Run(ctx)
}
