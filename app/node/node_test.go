package node_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/node/nodetest"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHome(t *testing.T) config.Home {
	t.Helper()
	h, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTheConfigurationIsTranslatedForTheEngine(t *testing.T) {
	nas := device.ID{1}
	got := node.Desired(config.Config{
		Name: "desk",
		Devices: []config.Device{
			{ID: nas, Name: "nas", Addresses: []string{"quic://192.0.2.1:22000"}, Paused: true},
		},
		Folders: []config.Folder{
			{ID: "a", Label: "A", Path: "/a", Type: config.SendReceive, Shared: []device.ID{nas}, NoBrake: true, MaxEntries: 7},
			{ID: "b", Path: "/b", Type: config.ReceiveEncrypted, Paused: true},
		},
	})
	want := engine.Desired{
		Name:    "desk",
		Devices: []engine.DeviceSpec{{ID: nas, Name: "nas", Addresses: []string{"quic://192.0.2.1:22000"}, Paused: true}},
		Folders: []engine.FolderSpec{
			{ID: "a", Label: "A", Path: "/a", Type: bep.SendReceive, Shared: []device.ID{nas}, NoBrake: true, MaxEntries: 7},
			{ID: "b", Path: "/b", Type: bep.ReceiveEncrypted, Paused: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("desired state (-want +got):\n%s", diff)
	}
}

func TestTheEngineIsMadeFromHomeAndConfiguration(t *testing.T) {
	e, h := nodetest.New(), newHome(t)
	n, err := node.Open(node.Options{Home: h, Listen: []string{"quic://127.0.0.1:0"}, Version: "1", Engine: e.Make})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	o := e.Options()
	if o.ID != n.ID() || o.StateDir != h.IndexDir() || o.Version != "1" || o.Discovery || len(o.Certificate.Certificate) != 1 {
		t.Errorf("the engine was made from %+v", o)
	}
	if diff := cmp.Diff([]string{"quic://127.0.0.1:0"}, o.Listen); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestAChangeReachesTheEngineBeforeItIsAcknowledged(t *testing.T) {
	e := nodetest.New()
	n, err := node.Open(node.Options{Home: newHome(t), Engine: e.Make})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	err = n.Store().Update(func(c config.Config) (config.Config, error) {
		return c.WithDevice(config.Device{ID: device.ID{1}, Name: "nas"})
	})
	if got := e.Snapshot().Devices; err != nil || len(got) != 1 {
		t.Errorf("after the change the engine has %+v, error %v; want one device", got, err)
	}
}

func TestRunEndsWithTheCauseOfItsContext(t *testing.T) {
	n, err := node.Open(node.Options{Home: newHome(t), Engine: nodetest.New().Make})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if err := n.Run(ctx); !errors.Is(err, enough) {
		t.Errorf("Run ended with %v, want %v", err, enough)
	}
}

func TestAnEngineThatCannotBeMadeLeavesTheHomeFree(t *testing.T) {
	h := newHome(t)
	broken := errors.New("broken")
	_, err := node.Open(node.Options{Home: h, Engine: func(node.EngineOptions) (node.Engine, error) { return nil, broken }})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want %v", err, broken)
	}
	n, err := node.Open(node.Options{Home: h, Engine: nodetest.New().Make})
	if err != nil {
		t.Fatalf("the home is not free: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
