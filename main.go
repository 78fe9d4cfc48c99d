// Command lanyard-desktop is the window of Lanyard. It finds the engine or
// starts one, shows it, and leaves it running when it is closed.
package main

import (
	_ "embed"
	"os"
	"time"

	"lanyard/app/desktop"
	"lanyard/frontend"
)

// version is set when a release is built.
var version = "0.1.0-dev"

//go:embed build/icons/lanyard-256.png
var icon []byte

func main() {
	began := time.Now()
	os.Exit(desktop.Main(desktop.Options{Version: version, Pages: frontend.Pages(), Icon: icon, Began: began}))
}
