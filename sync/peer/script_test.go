package peer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
)

// The two devices of every conversation.
var (
	ourID   = device.ID{1}
	theirID = device.ID{2}
)

// A script is a conversation as it goes, one line for each thing that happens.
//
// What happens to the session:
//
//	configure photos@7:3 holds 9:5, music@8:0 paused   our folders, as index ID
//	                     and sequence, and what we hold of the device's index;
//	                     "hold" keeps our own back, and "looking" is to have
//	                     not joined
//	< ClusterConfig photos@9:5 holds 7:3               the device says the same
//	< Index photos 1-3                                 entries by sequence
//	< IndexUpdate photos 4-5 after 3                   with PrevSequence
//	< Request 0, < Response 0 [SIZE], < Ping, < Close bye
//	page photos 1-3 [more], page photos none           answers the oldest read
//	sent photos                                        the oldest page was written
//	changed photos; ask [SIZE]; end; +45s              the last is a Tick, later
//
// What the session wants done:
//
//	> ClusterConfig, Index, IndexUpdate, Request, Ping as above
//	! read photos after 3; ! reset photos 9; ! store photos 1-3
//	! went back photos 7:5  what the device holds of an index of ours;
//	                        "unmet": we held nothing of its index
//	! answer 0; ! deliver 0; ! deliver 0 failed; ! discard 5
//	! shares photos joined, music stopped; ! drop TEXT; ! tell TEXT
type script struct {
	t       *testing.T
	session *Session
	now     time.Time
	reads   map[string][]ReadPage
	pages   map[string][]SendPage
}

// converse runs a script: every line that something happens in is told to the
// session, and its effects must be exactly the lines that follow.
func converse(t *testing.T, text string) {
	t.Helper()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := &script{
		t: t, now: now, session: NewSession(ourID, theirID, now),
		reads: map[string][]ReadPage{}, pages: map[string][]SendPage{},
	}
	var want, got []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		want = append(want, line)
		if strings.HasPrefix(line, "> ") || strings.HasPrefix(line, "! ") {
			continue
		}
		got = append(got, line)
		for _, e := range s.session.Step(s.now, s.event(line)) {
			got = append(got, s.effect(e)...)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the conversation went otherwise (-want +got):\n%s", d)
	}
}

// event reads a line that something happens in.
func (s *script) event(line string) Event {
	words := strings.Fields(line)
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "configure":
		return Configure{s.local(line)}
	case "<":
		return Received{s.message(line)}
	case "page":
		read := pop(s.t, s.reads, arg(1))
		files := entries(s.t, arg(2))
		p := Page{Folder: read.Folder, Start: read.Start, Files: files, Through: read.After, More: arg(3) == "more"}
		if len(files) > 0 {
			p.Through = files[len(files)-1].Sequence
		}
		return p
	case "sent":
		p := pop(s.t, s.pages, arg(1))
		return PageSent{Folder: p.Message.Folder}
	case "changed":
		return Changed{bep.FolderID(arg(1))}
	case "ask":
		req := &bep.Request{Folder: "photos"}
		if arg(1) != "" {
			req.Size = int32(number(s.t, arg(1)))
		}
		return Ask{Request: req, Deliver: func(*bep.Response, error) {}}
	case "end":
		return Ended{errors.New("the wire broke")}
	}
	d, err := time.ParseDuration(strings.TrimPrefix(words[0], "+"))
	if err != nil {
		s.t.Fatalf("line %q: not of this language", line)
	}
	s.now = s.now.Add(d)
	return Tick{}
}

func pop[V any](t *testing.T, m map[string][]V, key string) V {
	t.Helper()
	if len(m[key]) == 0 {
		t.Fatalf("folder %q: nothing is on its way", key)
	}
	v := m[key][0]
	m[key] = m[key][1:]
	return v
}

// folderText is "photos@7:3 holds 9:5 paused".
type folderText struct {
	id         bep.FolderID
	own, other bep.Device // index and sequence
	paused     bool
	hold       bool
	looking    bool
}

func folders(t *testing.T, line, after string) []folderText {
	t.Helper()
	_, list, _ := strings.Cut(line, after)
	var out []folderText
	for item := range strings.SplitSeq(list, ",") {
		words := strings.Fields(item)
		if len(words) == 0 {
			continue
		}
		name, own, _ := strings.Cut(words[0], "@")
		f := folderText{id: bep.FolderID(name), own: state(t, own)}
		for i, w := range words {
			switch w {
			case "holds":
				f.other = state(t, words[i+1])
			case "paused":
				f.paused = true
			case "hold":
				f.hold = true
			case "looking":
				f.looking = true
			}
		}
		out = append(out, f)
	}
	return out
}

// state reads "7:3", an index ID and a sequence.
func state(t *testing.T, text string) bep.Device {
	t.Helper()
	id, seq, _ := strings.Cut(text, ":")
	return bep.Device{IndexID: bep.IndexID(number(t, id)), MaxSequence: number(t, seq)}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%q is not a number", text)
	}
	return n
}

func (s *script) local(line string) []LocalFolder {
	var out []LocalFolder
	for _, f := range folders(s.t, line, "configure") {
		f.other.ID = theirID
		out = append(out, LocalFolder{
			ID: f.id, Paused: f.paused, Hold: f.hold, Looking: f.looking, IndexID: f.own.IndexID, Sequence: f.own.MaxSequence,
			Devices: []bep.Device{f.other},
		})
	}
	return out
}

func (s *script) message(line string) bep.Message {
	words := strings.Fields(line)[1:]
	switch words[0] {
	case "ClusterConfig":
		if len(words) > 1 && words[1] == "secondary" {
			return &bep.ClusterConfig{Secondary: true}
		}
		cc := &bep.ClusterConfig{}
		for _, f := range folders(s.t, line, "ClusterConfig") {
			f.own.ID, f.other.ID = theirID, ourID
			cc.Folders = append(cc.Folders, bep.Folder{ID: f.id, Stopped: f.paused, Looking: f.looking, Devices: []bep.Device{f.own, f.other}})
		}
		return cc
	case "Index", "IndexUpdate":
		m := &bep.Index{Folder: bep.FolderID(words[1]), Files: entries(s.t, words[2]), Update: words[0] == "IndexUpdate"}
		m.LastSequence = m.Files[len(m.Files)-1].Sequence
		if len(words) > 4 {
			m.PrevSequence = number(s.t, words[4])
		}
		return m
	case "Request":
		return &bep.Request{ID: int32(number(s.t, words[1]))}
	case "Response":
		m := &bep.Response{ID: int32(number(s.t, words[1]))}
		if len(words) > 2 {
			m.Data = make([]byte, number(s.t, words[2]))
		}
		return m
	case "Ping":
		return &bep.Ping{}
	case "Close":
		return &bep.Close{Reason: strings.Join(words[1:], " ")}
	}
	s.t.Fatalf("line %q: no such message", line)
	return nil
}

// entries reads "1-3".
func entries(t *testing.T, text string) []bep.FileInfo {
	t.Helper()
	if text == "none" {
		return nil
	}
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		to = from
	}
	var out []bep.FileInfo
	for seq := number(t, from); seq <= number(t, to); seq++ {
		out = append(out, bep.FileInfo{Name: relpath.MustParse(fmt.Sprintf("n%d", seq)), Sequence: seq})
	}
	return out
}

func span(files []bep.FileInfo) string {
	if len(files) == 1 {
		return fmt.Sprint(files[0].Sequence)
	}
	return fmt.Sprintf("%d-%d", files[0].Sequence, files[len(files)-1].Sequence)
}

// effect gives the lines of an effect.
func (s *script) effect(e Effect) []string {
	one := func(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
	switch e := e.(type) {
	case Send:
		return one("> %s", messageText(e.Message))
	case SendPage:
		folder := string(e.Message.Folder)
		s.pages[folder] = append(s.pages[folder], e)
		return one("> %s", messageText(e.Message))
	case ReadPage:
		folder := string(e.Folder)
		s.reads[folder] = append(s.reads[folder], e)
		return one("! read %s after %d", e.Folder, e.After)
	case Reset:
		return one("! reset %s %d", e.Folder, e.IndexID)
	case Store:
		return one("! store %s %s", e.Folder, span(e.Index.Files))
	case WentBack:
		unmet := ""
		if e.Unmet {
			unmet = " unmet"
		}
		return one("! went back %s %d:%d%s", e.Folder, e.IndexID, e.Sequence, unmet)
	case Answer:
		return one("! answer %d", e.Request.ID)
	case Deliver:
		if e.Err != nil {
			return one("! deliver %d failed", e.Ask.Request.ID)
		}
		return one("! deliver %d", e.Ask.Request.ID)
	case Discard:
		return one("! discard %d", e.Response.ID)
	case Shares:
		return one("! shares %s", sharesText(e.Folders))
	case Drop:
		lines := one("! drop %v", e.Err)
		if e.Tell != "" && e.Tell != e.Err.Error() {
			lines = append(lines, "! tell "+e.Tell)
		}
		return lines
	}
	return one("! %T", e)
}

func sharesText(folders []RemoteFolder) string {
	if len(folders) == 0 {
		return "nothing"
	}
	var out []string
	for _, f := range folders {
		text := string(f.ID)
		if f.Joined {
			text += " joined"
		}
		if f.Stopped {
			text += " stopped"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func messageText(m bep.Message) string {
	switch m := m.(type) {
	case *bep.ClusterConfig:
		var out []string
		for _, f := range m.Folders {
			text := fmt.Sprintf("%s@%d:%d", f.ID, f.Devices[0].IndexID, f.Devices[0].MaxSequence)
			if other := f.Devices[1]; other.IndexID != 0 {
				text += fmt.Sprintf(" holds %d:%d", other.IndexID, other.MaxSequence)
			}
			if f.Looking {
				text += " looking"
			}
			if f.Stopped {
				text += " paused"
			}
			out = append(out, text)
		}
		return strings.TrimSpace("ClusterConfig " + strings.Join(out, ", "))
	case *bep.Index:
		if m.Update {
			return fmt.Sprintf("IndexUpdate %s %s after %d", m.Folder, span(m.Files), m.PrevSequence)
		}
		return fmt.Sprintf("Index %s %s", m.Folder, span(m.Files))
	case *bep.Request:
		return fmt.Sprintf("Request %d", m.ID)
	case *bep.Ping:
		return "Ping"
	}
	return fmt.Sprintf("%T", m)
}

var virtualStart = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// clusterConfigWithout lists a folder for one device only.
func clusterConfigWithout(missing device.ID) *bep.ClusterConfig {
	f := bep.Folder{ID: "photos"}
	for _, id := range []device.ID{ourID, theirID} {
		if id != missing {
			f.Devices = append(f.Devices, bep.Device{ID: id})
		}
	}
	return &bep.ClusterConfig{Folders: []bep.Folder{f}}
}
