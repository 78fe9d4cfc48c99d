package fsys

import "golang.org/x/sys/unix"

// Boot gives what tells this start of the computer from every other one, ""
// where the system does not say.
func Boot() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
