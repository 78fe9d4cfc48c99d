// Command lanyard keeps folders the same on your own computers: the engine as
// a daemon, and the command line that talks to it.
package main

import (
	"os"

	"lanyard/app/cli"
	"lanyard/frontend"
)

// version is set when a release is built.
var version = "0.1.0-dev"

func main() { os.Exit(cli.Main(cli.Options{Version: version, Pages: frontend.Pages()})) }
