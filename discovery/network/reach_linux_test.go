package network

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheKernelTellsTheKindOfAnInterface describes interfaces as /sys/class/net
// does: a file for each line, a directory where it ends with a stroke, a link
// where it has an arrow.
func TestTheKernelTellsTheKindOfAnInterface(t *testing.T) {
	for name, c := range map[string]struct {
		says []string
		want Kind
	}{
		"Wi-Fi":                           {[]string{"type=1", "uevent=DEVTYPE=wlan\nINTERFACE=i", "phy80211/", "device/", "device/subsystem>bus/pci"}, WiFi},
		"Wi-Fi of an old driver":          {[]string{"type=1", "uevent=INTERFACE=i", "wireless/", "device/", "device/subsystem>bus/usb"}, WiFi},
		"a cable":                         {[]string{"type=1", "uevent=INTERFACE=i", "device/", "device/subsystem>bus/pci"}, Cable},
		"a cable on a board":              {[]string{"type=1", "uevent=INTERFACE=i", "device/"}, Cable},
		"a mobile network":                {[]string{"type=1", "uevent=DEVTYPE=wwan\nINTERFACE=i", "device/", "device/subsystem>bus/usb"}, Unknown},
		"a mobile network without frames": {[]string{"type=65534", "uevent=INTERFACE=i", "device/", "device/subsystem>bus/usb"}, Unknown},
		"the card of a virtual machine":   {[]string{"type=1", "uevent=INTERFACE=i", "device/", "device/subsystem>bus/virtio"}, Virtual},
		"a bridge":                        {[]string{"type=1", "uevent=DEVTYPE=bridge\nINTERFACE=i", "bridge/"}, Virtual},
		"one end of a pair":               {[]string{"type=1", "uevent=INTERFACE=i"}, Virtual},
	} {
		dir := t.TempDir()
		of := filepath.Join(dir, "i")
		for _, line := range append(c.says, "ifindex=7") {
			file, text, isFile := strings.Cut(line, "=")
			link, to, isLink := strings.Cut(line, ">")
			switch {
			case strings.HasSuffix(line, "/"):
				must(t, os.MkdirAll(filepath.Join(of, line), 0o755))
			case isLink:
				must(t, os.Symlink(to, filepath.Join(of, link)))
			case isFile:
				must(t, os.MkdirAll(of, 0o755))
				must(t, os.WriteFile(filepath.Join(of, file), []byte(text+"\n"), 0o644))
			}
		}
		if got := kindIn(dir, net.Interface{Name: "i", Index: 7}); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if got := kindIn(dir, net.Interface{Name: "i", Index: 8}); got != Unknown {
			t.Errorf("%s, of another namespace: got %q", name, got)
		}
	}
	if got := kindIn(t.TempDir(), net.Interface{Name: "i", Index: 7}); got != Unknown {
		t.Errorf("one that is not described: got %q", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
