package notify

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lanyard/app/text"
	"lanyard/sync/bep"
	"lanyard/sync/status"
)

// Kind is what a notification is about. Those of one kind are told together.
type Kind string

// The kinds.
const (
	Request     Kind = "request"  // a device asks to connect, or offers a folder
	TwoVersions Kind = "two"      // a file was changed on two devices
	Held        Kind = "held"     // deletions wait for a person
	Finished    Kind = "finished" // a long transfer is done
	Action      Kind = "act"      // something else does not go on without a person
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Request, TwoVersions, Held, Finished, Action} }

// Thing is one thing that a person is told once.
type Thing struct {
	Kind Kind
	Key  string // tells it from all others, also over a restart
	// Amount is how many it stands for. It is told again where there are more.
	Amount int64
	// Partly: more is about to be known of it, such as how big it is.
	Partly bool
	Text   string            // the sentence
	Page   string            // where the pages show it
	Folder string            // "" where it is about none
	said   text.DesktopText  // the sentence, and
	params map[string]string // its values, which are joined with those of others
}

// Things lists what holds in a state that a person is told of.
func Things(s status.Snapshot, words *text.Catalogue) []Thing {
	things := slices.Concat(requests(s), conflicts(s), held(s))
	for i, t := range things {
		things[i].Text = words.SayDesktop(t.said, t.params)
	}
	return append(things, actions(s, words)...)
}

func requests(s status.Snapshot) []Thing {
	var things []Thing
	add := func(key, page string, said text.DesktopText, params map[string]string) *Thing {
		things = append(things, Thing{Kind: Request, Key: "request " + key, Amount: 1, Page: page, said: said, params: params})
		return &things[len(things)-1]
	}
	for _, r := range s.Pairing.Requests {
		add("id "+r.Device, "#/", text.NotifyConnect, map[string]string{"device": called(r.Name, r.Device)})
	}
	for _, r := range s.Pairing.Runs {
		if r.State == status.PairingAsks && !r.Began {
			add("run "+r.ID, "#/", text.NotifyConnect, map[string]string{"device": called(r.Name, r.Device)})
		}
	}
	for _, o := range s.Offers {
		if o.Folder == "" || o.Refused || o.Joined {
			continue
		}
		params := map[string]string{"device": called(o.Name, o.Device), "folder": called(o.Label, o.Folder)}
		if o.Counted {
			params["size"] = strconv.FormatInt(o.Bytes, 10)
		}
		if o.Path != "" && o.Free > 0 {
			params["path"], params["free"] = o.Path, strconv.FormatInt(o.Free, 10)
		}
		page := "#/offer/" + url.PathEscape(o.Folder) + "/" + url.PathEscape(o.Device)
		add("folder "+o.Device+" "+o.Folder, page, text.NotifyOffer, params).Partly = o.Connected && !o.Counted
	}
	return things
}

func conflicts(s status.Snapshot) []Thing {
	var things []Thing
	for _, f := range s.Folders {
		if f.Conflicts > 0 {
			things = append(things, Thing{
				Kind: TwoVersions, Key: "two " + f.ID, Amount: f.Conflicts, Page: pageOf(f) + "/conflicts", Folder: f.ID,
				said: text.NotifyTwo, params: map[string]string{"folder": labelOf(f), "n": strconv.FormatInt(f.Conflicts, 10)},
			})
		}
	}
	return things
}

func held(s status.Snapshot) []Thing {
	var things []Thing
	for _, f := range s.Folders {
		for _, h := range f.HeldBack {
			params := map[string]string{
				"folder": labelOf(f), "n": strconv.FormatInt(h.Files, 10), "total": strconv.FormatInt(h.Total, 10),
			}
			said := text.NotifyHeldOut
			if h.Direction == status.Incoming {
				said = text.NotifyHeldIn
				if len(h.Devices) > 0 {
					params["devices"] = strings.Join(cleaned(h.Devices), "\n")
				}
			}
			things = append(things, Thing{
				Kind: Held, Key: "held " + string(h.Direction) + " " + f.ID, Amount: h.Files, Page: pageOf(f), Folder: f.ID, said: said, params: params,
			})
		}
	}
	return things
}

// actions lists the conditions of which the catalogue says that a person is to
// act, and of those that ask something which are not told otherwise.
func actions(s status.Snapshot, words *text.Catalogue) []Thing {
	var things []Thing
	add := func(p status.Problem, about, page, folder string) {
		notify := words.Problems[p.Code].Notify
		title, whole := words.Title(p)
		if notify != "act" && notify != "req" || !whole {
			return
		}
		kind := map[string]Kind{"act": Action, "req": Request}[notify]
		things = append(things, Thing{Kind: kind, Key: string(kind) + " " + string(p.Code) + " " + about, Amount: 1, Text: title, Page: page, Folder: folder})
	}
	for _, p := range s.Problems {
		add(p, "", "#/needs", "")
	}
	for _, f := range s.Folders {
		for _, p := range f.Problems {
			add(p, f.ID, pageOf(f), f.ID)
		}
	}
	for _, d := range s.Devices {
		for _, p := range d.Problems {
			add(p, d.ID, "#/device/"+url.PathEscape(d.ID), "")
		}
	}
	return things
}

func pageOf(f status.Folder) string { return "#/folder/" + url.PathEscape(f.ID) }

func labelOf(f status.Folder) string { return called(f.Label, f.ID) }

// called gives a name fit to show, and what stands for it where it is none.
func called(name, id string) string {
	if name = bep.CleanName(name); name != "" {
		return name
	}
	group, _, _ := strings.Cut(id, "-")
	return bep.CleanName(group)
}

func cleaned(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, bep.CleanName(n))
	}
	return out
}
