package config

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lanyard/sync/bep"
)

// SuggestPlace gives a path for a folder that another device offers: named
// after its label, in this user's own directory, "" where that is not known. It
// looks at no disk: CheckPlace says whether the place may be used.
func (c Config) SuggestPlace(label string, id bep.FolderID) string {
	base, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(base) {
		return ""
	}
	name := directoryName(label, id)
	taken := func(path string) bool {
		return slices.ContainsFunc(c.Folders, func(f Folder) bool { return f.Path == path })
	}
	path := filepath.Join(base, name)
	for n := 2; taken(path); n++ {
		path = filepath.Join(base, name+" "+strconv.Itoa(n))
	}
	return path
}

// directoryName makes one name of a directory, which every system can hold, from
// what another device calls a folder.
func directoryName(label string, id bep.FolderID) string {
	for _, text := range []string{label, string(id)} {
		name := strings.Map(func(r rune) rune {
			if strings.ContainsRune(`/\:*?"<>|`, r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
				return '-'
			}
			return r
		}, text)
		name = strings.Trim(cut(name, 120), " .~-")
		if name == "" {
			continue
		}
		stem, _, _ := strings.Cut(name, ".")
		if reserved(stem) {
			name = "_" + name
		}
		return name
	}
	return "Folder"
}

// cut gives at most n bytes of text, ending with a whole character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// reserved reports whether Windows keeps a name for a device.
func reserved(stem string) bool {
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9'
}
