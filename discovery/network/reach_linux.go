package network

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// kindOf tells what an interface sends over, as the kernel describes it below
// /sys/class/net (Documentation/ABI/testing/sysfs-class-net).
func kindOf(i net.Interface) Kind { return kindIn("/sys/class/net", i) }

// guests are the buses on which a virtual machine has its cards: what its host
// sends over, the machine cannot know.
var guests = []string{"virtio", "xen", "vmbus"}

// kindIn is kindOf with the directory that describes the interfaces.
func kindIn(dir string, i net.Interface) Kind {
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(dir, i.Name, name)) // what is not there says nothing
		return strings.TrimSpace(string(text))
	}
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, i.Name, name))
		return err == nil
	}
	// Another network namespace may be described there, with an interface of the
	// same name.
	if read("ifindex") != strconv.Itoa(i.Index) {
		return Unknown
	}
	bus, _ := os.Readlink(filepath.Join(dir, i.Name, "device", "subsystem")) // there may be none
	switch {
	case !exists("device"), slices.Contains(guests, filepath.Base(bus)):
		return Virtual
	case exists("wireless"), exists("phy80211"):
		return WiFi
	case read("type") == strconv.Itoa(unix.ARPHRD_ETHER) && !strings.Contains(read("uevent"), "DEVTYPE="):
		return Cable // mobile networks, Bluetooth and the like have a type of device
	}
	return Unknown
}
