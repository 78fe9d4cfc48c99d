package desktop

import (
	"context"
	"fmt"

	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/options/mac"
	"github.com/wailsapp/wails/v2/pkg/options/windows"
	"github.com/wailsapp/wails/v2/pkg/runtime"
)

// program is the name by which the desktop tells which window belongs to which
// entry of its menu.
const program = "lanyard-desktop"

// runShell opens the system's window and returns once it is closed.
func runShell(w *window, o Options) (err error) {
	defer func() {
		// The web view panics where the display that is named cannot be used.
		if r := recover(); r != nil {
			err = fmt.Errorf("the window cannot be opened: %v", r)
		}
	}()
	prepareWebView()
	kept := readSize(w.home.WindowFile())
	state := options.Normal
	if kept.Maximised {
		state = options.Maximised
	}
	return wails.Run(&options.App{
		Title: "Lanyard",
		Width: kept.Width, Height: kept.Height, MinWidth: leastWidth, MinHeight: leastHeight,
		WindowStartState: state,
		BackgroundColour: options.NewRGB(246, 245, 242),
		AssetServer:      &assetserver.Options{Handler: &handler{pages: o.Pages, client: w.engine.client}},
		Menu:             menus(w),
		// Wails calls this at the same time as it opens the window.
		OnStartup:      func(ctx context.Context) { w.appears(wailsShell{ctx}) },
		OnDomReady:     func(ctx context.Context) { runtime.ResetSignalHandlers(); followDrops(ctx, w) },
		OnBeforeClose:  func(ctx context.Context) bool { w.closes(wailsShell{ctx}); return false },
		Bind:           []any{&Bridge{w}},
		ErrorFormatter: describe,
		DragAndDrop:    &options.DragAndDrop{EnableFileDrop: true},
		Linux:          &linux.Options{Icon: o.Icon, ProgramName: program, WebviewGpuPolicy: linux.WebviewGpuPolicyNever},
		Windows:        &windows.Options{WebviewUserDataPath: w.home.WebViewDir(), Theme: windows.SystemDefault},
		Mac:            &mac.Options{OnUrlOpen: w.openURL},
	})
}

// openURL takes a link that the system hands to the running program.
func (w *window) openURL(url string) {
	if plainLink(url) {
		w.open(Opened{Link: url})
		w.up()
	}
}

func followDrops(ctx context.Context, w *window) {
	runtime.OnFileDropOff(ctx) // of pages that were loaded before
	runtime.OnFileDrop(ctx, func(_, _ int, paths []string) { w.dropped(paths) })
}

// wailsShell is the window that Wails opened. It holds a context because that
// is how Wails names its window: any other one ends the program.
type wailsShell struct{ ctx context.Context }

func (s wailsShell) emit(name string, data any) { runtime.EventsEmit(s.ctx, name, data) }

func (s wailsShell) up() {
	runtime.WindowUnminimise(s.ctx)
	runtime.Show(s.ctx)
	runtime.WindowShow(s.ctx)
}

func (s wailsShell) close() { runtime.Quit(s.ctx) }

func (s wailsShell) size() (width, height int, maximised bool) {
	width, height = runtime.WindowGetSize(s.ctx)
	return width, height, runtime.WindowIsMaximised(s.ctx)
}

func (s wailsShell) chooseDirectory(title string) (string, error) {
	return runtime.OpenDirectoryDialog(s.ctx, runtime.OpenDialogOptions{Title: title, CanCreateDirectories: true})
}
