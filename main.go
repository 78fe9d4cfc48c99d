// Command lanyard-desktop is the window of Lanyard. This build holds no window
// yet: it says so and points to the command line, which is complete.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "lanyard-desktop: this build has no window; "+
		"build the command line with \"make build\" and start the engine with \"build/bin/lanyard serve\".")
	os.Exit(1)
}
