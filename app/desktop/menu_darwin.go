package desktop

import (
	"github.com/wailsapp/wails/v2/pkg/menu"
	"github.com/wailsapp/wails/v2/pkg/menu/keys"

	"lanyard/app/text"
)

// menus gives the menus of the application. Without the one for editing the
// keys that copy and paste do nothing; the program's own has Quit, which closes
// the window.
func menus(w *window) *menu.Menu {
	words := text.Mine()
	file := menu.SubMenu(words.SayDesktop(text.DesktopFile, nil), menu.NewMenuFromItems(
		menu.Text(words.SayDesktop(text.DesktopStop, nil), keys.Combo("q", keys.CmdOrCtrlKey, keys.ShiftKey), func(*menu.CallbackData) {
			if err := w.quit(); err != nil {
				w.log.Error("the engine was not stopped", "error", err)
			}
		}),
	))
	return menu.NewMenuFromItems(menu.AppMenu(), file, menu.EditMenu(), menu.WindowMenu())
}
