package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/status"
)

// Report is what a helper needs to know, for a person to look at and to pass
// on. It names no device, folder, file, network or address, and no ID.
type Report struct {
	Text string `json:"text" doc:"of several parts, each JSON or lines of the log"`
}

// maxLog is how much of the end of the log stands in a report, in bytes.
const maxLog = 200_000

// Support makes a report. Only what is known to say nothing of a person gets
// into it: numbers, states, codes and the program's own words.
func (s *Service) Support(context.Context) (Report, error) {
	snap := s.snapshot()
	var b strings.Builder
	part := func(name string, v any) error {
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("make a report: %w", err)
		}
		fmt.Fprintf(&b, "== %s\n%s\n\n", name, text)
		return nil
	}
	err := part("program", map[string]any{
		"version": snap.Version, "system": built("GOOS") + "/" + built("GOARCH"), "go": runtime.Version(),
		"processors": runtime.NumCPU(), "goroutines": runtime.NumGoroutine(), "time": time.Now().UTC().Format(time.RFC3339),
		"problems": unnamedProblems(snap.Problems), "nearby": len(snap.Pairing.Nearby), "offers": len(snap.Offers),
	})
	if err != nil {
		return Report{}, err
	}
	for i, f := range snap.Folders {
		stats, err := s.engineStats(f.ID)
		if err != nil {
			stats = map[string]any{"error": "the index does not answer"}
		}
		err = part("folder "+strconv.Itoa(i+1), map[string]any{
			"type": f.Type, "state": f.State, "in_sync": f.InSync, "global": f.Global, "local": f.Local, "need": f.Need,
			"conflicts": f.Conflicts, "held": f.Held, "failed": failedByCode(f.Failed), "failed_count": f.FailedCount,
			"problems": unnamedProblems(f.Problems), "devices": len(f.Devices), "index": stats,
		})
		if err != nil {
			return Report{}, err
		}
	}
	for i, d := range snap.Devices {
		needs := make([]status.DeviceNeed, 0, len(d.Folders))
		for _, f := range snap.Folders { // in the order of the folders above
			if need, ok := d.Folders[f.ID]; ok {
				needs = append(needs, need)
			}
		}
		scheme, _, _ := strings.Cut(d.Address, ":")
		err := part("device "+strconv.Itoa(i+1), map[string]any{
			"connected": d.Connected, "paused": d.Paused, "client": knownClient(d.Client), "over": scheme, "lacks": needs,
			"in_bytes": d.InBytes, "out_bytes": d.OutBytes, "problems": unnamedProblems(d.Problems),
		})
		if err != nil {
			return Report{}, err
		}
	}
	fmt.Fprintf(&b, "== log\n%s", s.unnamedLog())
	return Report{b.String()}, nil
}

// built gives what the program was built for, as its build noted it.
func built(setting string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == setting {
				return s.Value
			}
		}
	}
	return ""
}

// engineStats gives figures of an index, without its ID.
func (s *Service) engineStats(folder string) (map[string]any, error) {
	st, err := s.lookup.IndexStats(context.Background(), bep.FolderID(folder))
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"versions": st.Versions, "lists": st.Lists, "bytes": st.Bytes, "devices": st.Devices, "recovering": st.Recovering,
		"snapshot": st.Snapshot, "checked": st.Checked,
	}, nil
}

// unnamedProblem is a condition without whom it is about.
type unnamedProblem struct {
	Code  string `json:"code"`
	Count int64  `json:"count,omitempty"`
	Since string `json:"since,omitempty"`
}

func unnamedProblems(list []status.Problem) []unnamedProblem {
	out := make([]unnamedProblem, 0, len(list))
	for _, p := range list {
		u := unnamedProblem{Code: string(p.Code), Count: p.Count}
		if !p.Since.IsZero() {
			u.Since = p.Since.UTC().Format(time.RFC3339)
		}
		out = append(out, u)
	}
	return out
}

func failedByCode(list []status.Failed) map[string]int {
	out := map[string]int{}
	for _, f := range list {
		out[string(f.Code)]++
	}
	return out
}

// client is a program and its version, and nothing else.
var client = regexp.MustCompile(`^(lanyard|syncthing) v?[0-9][0-9.]{0,15}$`)

func knownClient(name string) string {
	if client.MatchString(name) {
		return name
	}
	return "other"
}

// spoken are attributes of the log whose values say nothing of a person.
var spoken = []string{"time", "level", "msg", "component", "code", "kind", "n", "files", "bytes", "method", "began_here", "attempt"}

// plainValue is a value that is a number, a truth or a length of time.
var plainValue = regexp.MustCompile(`^(true|false|[0-9.]+(ns|µs|ms|s|m|h)?)$`)

// unnamedLog gives the end of the log: the program's own words, and of what
// stands beside them numbers alone.
func (s *Service) unnamedLog() string {
	f, err := os.Open(s.store.Home().LogFile())
	if err != nil {
		return "there is none\n"
	}
	defer f.Close() // only read from: nothing is lost with the error
	if info, err := f.Stat(); err == nil && info.Size() > maxLog {
		if _, err := f.Seek(-maxLog, io.SeekEnd); err != nil {
			return "it cannot be read\n"
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxLog))
	if err != nil {
		return "it cannot be read\n"
	}
	var b strings.Builder
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxLog+1)
	for lines.Scan() {
		if line, ok := unnamedLine(lines.Text()); ok {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// unnamedLine leaves out of a line of the log what may name something; ok is
// false for what is no such line.
func unnamedLine(line string) (out string, ok bool) {
	if !strings.HasPrefix(line, "time=") {
		return "", false
	}
	var parts []string
	for line != "" {
		key, rest, found := strings.Cut(line, "=")
		if !found {
			return "", false
		}
		var value string
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return "", false
			}
			value, rest = quoted, rest[len(quoted):]
		} else {
			value, rest, _ = strings.Cut(rest, " ")
			rest = " " + rest
		}
		line = strings.TrimLeft(rest, " ")
		if !slices.Contains(spoken, key) && !plainValue.MatchString(value) {
			value = "-"
		}
		parts = append(parts, key+"="+value)
	}
	return strings.Join(parts, " "), true
}
