package fsys

import (
	"os"
	"strings"
)

// Boot gives what tells this start of the computer from every other one, ""
// where the system does not say.
func Boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
