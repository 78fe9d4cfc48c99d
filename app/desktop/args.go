package desktop

import (
	"errors"
	"strings"
)

const usage = `Usage: lanyard-desktop [--home DIR] [--background | --page PAGE | LINK]

Opens the window of Lanyard, and starts the engine where none runs. LINK is a
lanyard:// link, about which the window asks. PAGE is a place of the pages, such
as #/needs. With --background it starts the engine and opens no window. Anything else is a command of the command line:
lanyard-desktop help
`

// launched is what this process was started for.
type launched struct {
	home       string
	link       string // "" for none
	page       string // likewise
	background bool
	help       bool
	command    bool // of the command line, which reads the arguments itself
}

// opened gives what the window is asked to show.
func (l launched) opened() Opened { return Opened{Link: l.link, Page: l.page} }

// parse reads the arguments. They may come from a page of the web, by way of a
// link: nothing in a link can be taken for another argument.
func parse(args []string) (launched, error) {
	var l launched
	for i := 0; i < len(args); i++ {
		arg := args[i]
		home, given := strings.CutPrefix(arg, "--home=")
		switch {
		case isLink(arg):
			if l.link != "" {
				return l, errors.New("there is more than one link")
			}
			if !plainLink(arg) {
				return l, errors.New("this is no link of Lanyard")
			}
			l.link = arg
		case l.link != "":
			return l, errors.New("nothing follows a link")
		case given:
			l.home = home
		case arg == "--home" && i+1 < len(args):
			i++
			l.home = args[i]
		case arg == "--page" && i+1 < len(args):
			i++
			if !plainPage(args[i]) {
				return l, errors.New("there is no page " + quoted(args[i]))
			}
			l.page = args[i]
		case arg == "--background":
			l.background = true
		case arg == "--help", arg == "-h":
			l.help = true
		case strings.HasPrefix(arg, "-psn_"): // macOS gives each program its number
		case strings.HasPrefix(arg, "-"):
			return l, errors.New("there is no " + quoted(arg))
		default:
			l.command = true
			return l, nil
		}
	}
	return l, nil
}
