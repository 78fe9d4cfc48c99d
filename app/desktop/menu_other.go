//go:build !darwin

package desktop

import "github.com/wailsapp/wails/v2/pkg/menu"

// menus gives none: here the pages have all that a menu would.
func menus(*window) *menu.Menu { return nil }
