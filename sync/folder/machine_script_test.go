package folder

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/fault"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// A script tells what happens to a machine, one line for each event, and what
// it wants done, on the lines that begin with ">":
//
//	opened [same]; stopped; remote; peers; decided
//	notice a b:removed c:settled dir:subtree; notice all
//	ask 1 a b; ask 1            a person wants names, or everything, scanned
//	scanned [again a b] [busy a b] [failed retry|folder|root|empty]
//	pulled [changed] [again] [rescan a b] [failed item|retry] [space 100] [later 1s] [stop]
//	room 100
//	recovering                  the index lost something
//	mended; mended waiting|failed
//	+40ms                       time passes; a Tick
//	wakes 40ms; wakes never     checks when it wants the next Tick
//
//	> scan all; > scan a b; > pull; > look for room; > reopen; > finish 1;
//	> finish 1 failed; > mend; > mend late
type script struct {
	t       *testing.T
	machine *Machine
	now     time.Time
}

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func run(t *testing.T, text string) {
	t.Helper()
	s := &script{t: t, machine: NewMachine(time.Hour), now: start}
	var want, got []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		want = append(want, line)
		words := strings.Fields(line)
		switch words[0] {
		case ">":
		case "wakes":
			got = append(got, "wakes "+s.wakes())
		default:
			got = append(got, line)
			for _, c := range s.machine.Step(s.now, s.event(words)) {
				got = append(got, commandText(c))
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("it went otherwise (-want +got):\n%s", d)
	}
}

func (s *script) wakes() string {
	due := s.machine.Wake()
	if due.IsZero() {
		return "never"
	}
	return due.Sub(s.now).String()
}

func commandText(c Command) string {
	switch c := c.(type) {
	case Scan:
		if c.Full {
			return "> scan all"
		}
		text := "> scan"
		for _, p := range c.Paths {
			text += " " + p.String()
		}
		return text
	case Finish:
		if c.Err != nil {
			return fmt.Sprintf("> finish %d failed", c.Ticket)
		}
		return fmt.Sprintf("> finish %d", c.Ticket)
	case Pull:
		return "> pull"
	case Refresh:
		return "> refresh"
	case LookForRoom:
		return "> look for room"
	case Reopen:
		return "> reopen"
	case Mend:
		if c.Late {
			return "> mend late"
		}
		return "> mend"
	}
	return fmt.Sprintf("> %T", c)
}

var faults = map[string]error{
	"retry":  fault.New(fault.Retry, "", "it passes"),
	"item":   fault.New(fault.Item, "", "mend it"),
	"folder": fault.New(fault.Folder, "disk-full", "the disk is full"),
	"root":   fault.New(fault.Folder, "folder-missing", "it is not there"),
	"empty":  fault.New(fault.Folder, "folder-emptied", "it is empty"),
}

func (s *script) event(words []string) Event {
	switch words[0] {
	case "opened":
		return Opened{Same: len(words) > 1}
	case "stopped":
		return Stopped{faults["folder"]}
	case "remote":
		return RemoteChanged{}
	case "peers":
		return PeersChanged{}
	case "recovering":
		return Recovering{}
	case "mended":
		o := options(words[1:])
		ev := Mended{Done: len(words) == 1}
		if o["failed"] != nil {
			ev.Err = faults["retry"]
		}
		return ev
	case "decided":
		return Decided{}
	case "notice":
		return Noticed{change(words[1:])}
	case "ask":
		ticket, err := strconv.Atoi(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		return ScanAsked{Ticket: ticket, Paths: names(words[2:])}
	case "scanned":
		o := options(words[1:])
		ev := ScanDone{Again: names(o["again"]), Busy: names(o["busy"])}
		if kind := o["failed"]; kind != nil {
			ev.Err = faults[kind[0]]
		}
		return ev
	case "room":
		free, err := strconv.ParseUint(words[1], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return Room{Free: free}
	case "pulled":
		return PullDone{s.result(options(words[1:]))}
	}
	d, err := time.ParseDuration(strings.TrimPrefix(words[0], "+"))
	if err != nil {
		s.t.Fatalf("line %q: not of this language", words)
	}
	s.now = s.now.Add(d)
	return Tick{}
}

func (s *script) result(o map[string][]string) pull.Result {
	r := pull.Result{Rescan: names(o["rescan"])}
	_, r.Again = o["again"]
	if _, ok := o["changed"]; ok {
		r.Changed = 1
	}
	if kind := o["failed"]; kind != nil {
		r.Failed = map[relpath.Path]error{relpath.MustParse("x"): faults[kind[0]]}
	}
	if need := o["space"]; need != nil {
		n, err := strconv.ParseUint(need[0], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		r.Space = &pull.Space{Need: n}
		r.Failed = map[relpath.Path]error{relpath.MustParse("x"): fault.New(fault.Item, "disk-full", "no room")}
	}
	if wait := o["later"]; wait != nil {
		d, err := time.ParseDuration(wait[0])
		if err != nil {
			s.t.Fatal(err)
		}
		r.Later = d
	}
	if _, ok := o["stop"]; ok {
		r.Err = faults["folder"]
	}
	return r
}

// options groups words under the keyword before them.
func options(words []string) map[string][]string {
	out := map[string][]string{}
	key := ""
	for _, w := range words {
		if slices.Contains([]string{"again", "busy", "failed", "rescan", "changed", "space", "later", "stop"}, w) {
			key = w
			out[key] = []string{}
			continue
		}
		out[key] = append(out[key], w)
	}
	return out
}

func names(words []string) []relpath.Path {
	var out []relpath.Path
	for _, w := range words {
		out = append(out, relpath.MustParse(w))
	}
	return out
}

func change(words []string) watch.Change {
	var c watch.Change
	for _, w := range words {
		name, how, _ := strings.Cut(w, ":")
		switch {
		case w == "all":
			c.All = true
		case how == "subtree":
			c.Subtrees = append(c.Subtrees, relpath.MustParse(name))
		default:
			c.Events = append(c.Events, watch.Event{
				Path: relpath.MustParse(name), Removed: how == "removed", Settled: how == "settled",
			})
		}
	}
	return c
}
