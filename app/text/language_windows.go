package text

import "golang.org/x/sys/windows"

// preferred lists the languages of the person, as their settings have them.
func preferred() []string {
	languages, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return nil
	}
	return languages
}
