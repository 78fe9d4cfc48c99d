// Package login has a program started when its person logs in, in the way of
// each system: an autostart entry of the desktop on Linux, a value under Run in
// the registry on Windows, a LaunchAgent on macOS. It is for this user alone and
// takes no other rights.
package login

import "os"

// Entry is one program that is to be started, under a name that tells it from
// other entries: letters, digits and hyphens.
type Entry struct {
	Name    string
	Command []string
}

// Engine gives the entry of the engine that runs in this process. One of another
// home than the usual one is told its home, and tells its entry by digest.
func Engine(home, digest string) (Entry, error) {
	self, err := os.Executable()
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: "lanyard", Command: []string{self}}
	if home != "" {
		e.Command = append(e.Command, "--home", home)
		e.Name += "-" + digest
	}
	e.Command = withoutConsole(append(e.Command, "serve"))
	return e, nil
}
