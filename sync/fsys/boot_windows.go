package fsys

import (
	"strconv"

	"golang.org/x/sys/windows/registry"
)

// bootKey holds the number of the boot, which the kernel counts up.
const bootKey = `SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`

// Boot gives what tells this start of the computer from every other one, ""
// where the system does not say.
func Boot() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, bootKey, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	n, _, err := k.GetIntegerValue("BootId")
	if err != nil {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
