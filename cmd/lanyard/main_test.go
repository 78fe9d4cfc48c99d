package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lanyard/app/cli"
	"lanyard/app/node/nodetest"
)

// scripts are the directories of the scripts that run: without an engine, with
// one that does no work, and with the real one.
var scripts = []string{
	"testdata/script",
	"testdata/script/idle",
	"testdata/script/engine",
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lanyard": main,
		// lanyard-idle has an engine that does no work, for scripts about what
		// stands above it.
		"lanyard-idle": func() {
			ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer cancel()
			options := cli.Options{Version: "test", Engine: nodetest.New().Make, Pages: fstest.MapFS{"index.html": {}}}
			os.Exit(cli.Run(ctx, options, os.Args[1:]))
		},
	})
}

func TestScripts(t *testing.T) {
	for _, dir := range scripts {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: dir,
				Setup: func(e *testscript.Env) error {
					e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
					e.Setenv("XDG_RUNTIME_DIR", e.WorkDir)
					// The race detector would keep each process for a second.
					e.Setenv("GORACE", "atexit_sleep_ms=0")
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"await":   await,
					"field":   field,
					"fill":    fill,
					"listens": listens,
					"lookup":  lookup,
					"runs":    runs,
					"status":  status,
				},
			})
		})
	}
}

// await runs a program until it succeeds, and says something if that is asked
// for: "await lanyard status", "await -stdout regexp lanyard status".
func await(ts *testscript.TestScript, neg bool, args []string) {
	want := regexp.MustCompile("")
	if len(args) > 2 && args[0] == "-stdout" {
		var err error
		want, err = regexp.Compile("(?m)" + args[1])
		ts.Check(err)
		args = args[2:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await [-stdout regexp] program [args...]")
	}
	deadline := time.After(30 * time.Second)
	for {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("await %v: %v", args, errors.Join(err, context.DeadlineExceeded))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// field puts a field of a JSON object, or of the first one in a list, into a
// variable: "field versions.json time AT".
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: field file name VARIABLE")
	}
	text := ts.ReadFile(args[0])
	if strings.HasPrefix(text, "{") {
		text = "[" + text + "]"
	}
	var list []map[string]any
	ts.Check(json.Unmarshal([]byte(text), &list))
	if len(list) == 0 || list[0][args[1]] == nil {
		ts.Fatalf("%s has no field %s", args[0], args[1])
	}
	ts.Setenv(args[2], fmt.Sprint(list[0][args[1]]))
}

// runs puts the ID of the run that asks into a variable: "runs list.json RUN".
func runs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: runs file VARIABLE")
	}
	var list struct {
		Runs []struct{ ID, State string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &list))
	for _, r := range list.Runs {
		if r.State == "asking" {
			ts.Setenv(args[1], r.ID)
			return
		}
	}
	ts.Fatalf("%s lists no run that asks", args[0])
}

// fill makes files in a directory, each with a content of its own: "fill docs/d
// 60".
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill directory number")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for i := range n {
		ts.Check(os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.txt", i)), fmt.Appendf(nil, "%s %d\n", args[0], i), 0o644))
	}
}

// lookup puts the first line of a file into a variable: "lookup id.txt ID".
func lookup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lookup file VARIABLE")
	}
	text := ts.ReadFile(args[0])
	for i, r := range text {
		if r == '\n' {
			text = text[:i]
			break
		}
	}
	ts.Setenv(args[1], text)
}

// listens puts the first address of a status document into a variable:
// "listens status.json ADDRESS".
func listens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: listens file VARIABLE")
	}
	var document struct {
		Listen []string `json:"listen"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &document))
	if len(document.Listen) == 0 {
		ts.Fatalf("%s lists no address", args[0])
	}
	ts.Setenv(args[1], document.Listen[0])
}

// status runs a program and wants one exit code: "status 2 lanyard nonsense".
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status code program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}
