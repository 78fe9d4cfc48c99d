package desktop

import (
	"os"

	"lanyard/app/config"
)

// noDisplay says what to do where there is no display to open a window on.
func noDisplay() error {
	if os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" {
		return nil
	}
	return errNoDisplay()
}

func errNoDisplay() error {
	return &config.Refusal{
		Reason: config.Unavailable,
		Text:   "there is no display to open a window on",
		Remedy: `start the engine with "lanyard serve --web 127.0.0.1:0" and open the address that "lanyard web" prints in a browser`,
	}
}

// prepareWebView sets what the web view reads from the environment, unless the
// person has: with some graphics drivers its window stays white where it hands
// its pictures over by DMA-BUF.
func prepareWebView() {
	if _, set := os.LookupEnv("WEBKIT_DISABLE_DMABUF_RENDERER"); !set {
		_ = os.Setenv("WEBKIT_DISABLE_DMABUF_RENDERER", "1") // fails for names with = or NUL only
	}
}
