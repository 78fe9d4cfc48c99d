package desktop

import (
	"cmp"
	"os"
	"strings"

	"github.com/wailsapp/wails/v2/pkg/menu"
	"github.com/wailsapp/wails/v2/pkg/menu/keys"

	"lanyard/app/text"
)

// menus gives the menus of the application. Without the one for editing the
// keys that copy and paste do nothing; the program's own has Quit, which closes
// the window.
func menus(w *window) *menu.Menu {
	words := words()
	file := menu.SubMenu(words.SayDesktop(text.DesktopFile, nil), menu.NewMenuFromItems(
		menu.Text(words.SayDesktop(text.DesktopStop, nil), keys.Combo("q", keys.CmdOrCtrlKey, keys.ShiftKey), func(*menu.CallbackData) {
			if err := w.quit(); err != nil {
				w.log.Error("the engine was not stopped", "error", err)
			}
		}),
	))
	return menu.NewMenuFromItems(menu.AppMenu(), file, menu.EditMenu(), menu.WindowMenu())
}

// words gives the sentences in the language of the person.
func words() *text.Catalogue {
	language := "en"
	if strings.HasPrefix(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), "de") {
		language = "de"
	}
	c, err := text.Load(language)
	if err != nil {
		panic("desktop: embedded catalogue: " + err.Error()) // a test loads both
	}
	return c
}
