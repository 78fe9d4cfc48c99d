package notify

import (
	"net/url"
	"strconv"
	"time"

	"lanyard/app/text"
	"lanyard/sync/status"
)

// long is how long a transfer takes that is told of when it is done. Only the
// time in which it went on counts.
const long = 10 * time.Minute

// Transfers follows what goes over, and finds what took long and is done. It is
// used by one goroutine.
type Transfers struct {
	words *text.Catalogue
	going map[way]*transfer
	done  []finished
	last  time.Time
}

// way is a folder and the device that gets it, "" for this one.
type way struct{ folder, device string }

type transfer struct {
	took time.Duration
	went bool // when it was last looked at
}

type finished struct {
	thing Thing
	at    time.Time
}

// NewTransfers follows nothing yet.
func NewTransfers(words *text.Catalogue) *Transfers {
	return &Transfers{words: words, going: map[way]*transfer{}}
}

// Look takes a state, and gives what was found to be done within the last hour.
func (t *Transfers) Look(now time.Time, s status.Snapshot) []Thing {
	since := now.Sub(t.last)
	t.last = now
	there := map[way]bool{}
	for _, f := range s.Folders {
		t.follow(now, since, way{f.ID, ""}, there, f.Need.Items > 0, f.State == status.Syncing && f.Need.Bytes > 0, func() Thing {
			return t.word(text.NotifyFinishedHere, f, "")
		})
		for _, d := range s.Devices {
			need, told := d.Folders[f.ID]
			if !told {
				continue
			}
			goes := d.Connected && !d.Paused && need.Current && need.NeedBytes > 0
			t.follow(now, since, way{f.ID, d.ID}, there, need.NeedItems > 0, goes, func() Thing {
				return t.word(text.NotifyFinishedThere, f, called(d.Name, d.ID))
			})
		}
	}
	for w := range t.going { // of folders and devices that are gone
		if !there[w] {
			delete(t.going, w)
		}
	}
	var things []Thing
	kept := t.done[:0]
	for _, d := range t.done {
		if now.Sub(d.at) < lasts {
			kept = append(kept, d)
			things = append(things, d.thing)
		}
	}
	t.done = kept
	return things
}

// follow notes of one way whether something is left, and whether it goes on.
func (t *Transfers) follow(now time.Time, since time.Duration, w way, there map[way]bool, left, goes bool, word func() Thing) {
	there[w] = true
	one := t.going[w]
	if one == nil {
		if goes {
			t.going[w] = &transfer{went: true}
		}
		return
	}
	if one.went {
		one.took += since
	}
	one.went = goes
	if left {
		return
	}
	delete(t.going, w)
	if one.took >= long {
		thing := word()
		thing.Key = "finished " + w.folder + " " + w.device + " " + strconv.FormatInt(now.Unix(), 10)
		t.done = append(t.done, finished{thing, now})
	}
}

func (t *Transfers) word(said text.DesktopText, f status.Folder, device string) Thing {
	params := map[string]string{"folder": labelOf(f), "device": device, "n": strconv.FormatInt(f.Global.Files, 10)}
	return Thing{
		Kind: Finished, Amount: 1, Folder: f.ID, Page: "#/folder/" + url.PathEscape(f.ID), Text: t.words.SayDesktop(said, params),
	}
}
