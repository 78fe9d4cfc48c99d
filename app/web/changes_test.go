package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"lanyard/app/node/nodetest"
	"lanyard/app/web"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// TestAThousandChangesASecondAreServed judges nothing by itself: it is the
// engine of frontend/test/changes.mjs, which looks at what comes of it in a
// browser. LANYARD_CHANGES names the pages; the address comes on the standard
// output, and the end of the input ends it. Feed, API, door and pages are those
// of the program, and what changes is the state that an engine would give.
func TestAThousandChangesASecondAreServed(t *testing.T) {
	pages := os.Getenv("LANYARD_CHANGES")
	if pages == "" {
		t.Log("not run: frontend/test/changes.mjs runs it")
		return
	}
	e := nodetest.New()
	s := start(t, e, nil)
	door, err := web.OpenDoor(web.DoorOptions{Address: "127.0.0.1:0", Pages: os.DirFS(pages)})
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- door.Run(ctx, web.Handler(s)) }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it
		cancel()
	}()
	address, _ := door.Invite()
	fmt.Println(address)
	fmt.Printf("changes %d\n", changes(ctx, e))
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the door ended with %v", err)
	}
}

// changes changes the engine's state a thousand times a second until ctx ends,
// and gives how often. What a busy machine held up is made up for.
func changes(ctx context.Context, e *nodetest.Engine) int {
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	n := 0
	for ctx.Err() == nil {
		for due := int(time.Since(began) / time.Millisecond); n < due; n++ {
			e.Change(func(s *status.Snapshot) { s.Folders, s.Devices = busy(n) })
		}
		<-tick.C
	}
	return n
}

// busy gives the nth state of three folders that arrive from three devices: each file is another one after twenty changes.
func busy(n int) ([]status.Folder, []status.Device) {
	const files, size = 20_000, 3_500_000
	at := int64(n % files)
	var folders []status.Folder
	var ids []string
	for i := range byte(3) {
		ids = append(ids, device.ID{i + 1}.String())
	}
	for i := range 3 {
		f := status.Folder{
			ID: fmt.Sprintf("folder-%d", i), Label: fmt.Sprintf("Photos %d", 2020+i), Path: fmt.Sprintf("/home/ada/Photos %d", 2020+i),
			Type: "send-receive", State: status.Syncing, Devices: ids,
			Global: status.Count{Files: files, Dirs: 200, Bytes: files * size}, Local: status.Count{Files: at, Dirs: 200, Bytes: at * size},
			Need:     status.Need{Items: files - at, Bytes: (files - at) * size},
			HeldBack: []status.Held{}, Problems: []status.Problem{}, Failed: []status.Failed{},
			Progress: status.Progress{DoneBytes: at * size, TotalBytes: files * size, Rate: 90e6 + float64(n%1000), SecondsLeft: 700},
		}
		for j := range int64(20) {
			f.Progress.Files = append(f.Progress.Files, status.FileProgress{
				Name: fmt.Sprintf("Lisbon/IMG_%04d.jpg", at+j), Done: (int64(n) * (j + 1) * 1000) % size, Total: size,
			})
		}
		folders = append(folders, f)
	}
	var devices []status.Device
	for i, id := range ids {
		d := status.Device{
			ID: id, Name: fmt.Sprintf("Device %d", i), Connected: true, Address: "quic://192.0.2.1:22000", Client: "lanyard 0.1",
			Folders: map[string]status.DeviceNeed{}, Problems: []status.Problem{}, Sending: []status.Sending{},
			InBytes: int64(n) * 90_000, OutBytes: int64(n) * 5000, InRate: 90e6 - float64(n%777), OutRate: 5e6 + float64(n%333),
		}
		for _, f := range folders {
			d.Folders[f.ID] = status.DeviceNeed{NeedItems: at % 100, NeedBytes: at % 100 * size, Current: true}
		}
		devices = append(devices, d)
	}
	return folders, devices
}
