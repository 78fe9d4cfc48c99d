package desktop

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"lanyard/app/service"
)

// Bridge is what the pages can ask of the window that a browser cannot do.
// Every exported method can be called by a script of the pages, so it holds
// nothing else. A panic becomes an error: without that the script would wait
// for ever.
type Bridge struct{ window *window }

// errNoWindow is the answer while there is no window, which no script can ask.
var errNoWindow = errors.New("there is no window")

// Listening says that the pages take what is opened as events, and gives what
// was opened before.
func (b *Bridge) Listening() (opened []Opened, err error) {
	defer recovered(&err)
	return b.window.listening(), nil
}

// Painted says that the pages have shown what they have to show.
func (b *Bridge) Painted() (err error) {
	defer recovered(&err)
	b.window.firstPaint()
	return nil
}

// Front says whether the person has the window before them: then the system
// notifies them of nothing.
func (b *Bridge) Front(front bool) (err error) {
	defer recovered(&err)
	b.window.comes(front)
	return nil
}

// ChooseDirectory lets the person choose a directory, and gives its path; ""
// where they did not.
func (b *Bridge) ChooseDirectory(title string) (path string, err error) {
	defer recovered(&err)
	s := b.window.present()
	if s == nil {
		return "", errNoWindow
	}
	return s.chooseDirectory(title)
}

// ShowInFileManager shows a file or directory where it lies.
func (b *Bridge) ShowInFileManager(path string) (err error) {
	defer recovered(&err)
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is no whole path", path)
	}
	return showInFileManager(filepath.Clean(path))
}

// Quit ends the engine, and then closes the window.
func (b *Bridge) Quit() (err error) {
	defer recovered(&err)
	return b.window.quit()
}

// recovered turns a panic into the error of the method that defers it.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the window has a fault: %v", r)
	}
}

// describe gives an error to a script: as the text of a service.Error, because
// anything but a string arrives there as [object Object].
func describe(err error) any {
	text, encodeErr := json.Marshal(service.Describe(err))
	if encodeErr != nil {
		return err.Error()
	}
	return string(text)
}
