package config

import (
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
)

// makePrivate lets only this user and the system enter a directory; what is
// made inside inherits that.
func makePrivate(dir string) error {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("find the current user: %w", err)
	}
	// Protected from the parent's rights; full access, inherited by files and
	// directories, for the user and for SYSTEM.
	sd, err := windows.SecurityDescriptorFromString(
		"D:P(A;OICI;FA;;;" + user.User.Sid.String() + ")(A;OICI;FA;;;SY)")
	if err != nil {
		return fmt.Errorf("make an access list: %w", err)
	}
	acl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("make an access list: %w", err)
	}
	return windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION,
		nil, nil, acl, nil)
}

// readableByOthers reports whether the access list names a group that every
// user of the computer is in: Everyone, Users or Authenticated Users.
func readableByOthers(name string) (bool, error) {
	sd, err := windows.GetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return false, err
	}
	for ace := range strings.SplitSeq(sd.String(), "(") {
		allows := strings.HasPrefix(ace, "A;")
		if allows && (strings.Contains(ace, ";WD)") || strings.Contains(ace, ";BU)") || strings.Contains(ace, ";AU)")) {
			return true, nil
		}
	}
	return false, nil
}

// syncDirectory does nothing: Windows makes a rename durable with the file
// system's own journal and has no call for a directory.
func syncDirectory(string) error { return nil }

// mayWrite knows nothing: what an access list comes to shows when it is tried.
func mayWrite(string) error { return nil }
