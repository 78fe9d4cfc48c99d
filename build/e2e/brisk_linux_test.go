package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// edit replaces a text of a source of the program, the only one there is.
type edit struct{ file, old, new string }

// buildWith builds the program with some of its sources edited, in a directory.
// The sources themselves are left alone.
func buildWith(dir string, edits ...edit) (bin string, err error) {
	replace, texts := map[string]string{}, map[string]string{}
	for _, e := range edits {
		file, err := filepath.Abs(filepath.Join("..", "..", e.file))
		if err != nil {
			return "", err
		}
		if texts[file] == "" {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			texts[file] = string(text)
			replace[file] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		}
		if strings.Count(texts[file], e.old) != 1 {
			return "", fmt.Errorf("%s does not hold this once: %q", e.file, e.old)
		}
		texts[file] = strings.Replace(texts[file], e.old, e.new, 1)
	}
	for file, text := range texts {
		if err := os.WriteFile(replace[file], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	bin = filepath.Join(dir, "lanyard")
	// With the flags of the program that the tests run, so that what is not
	// edited is not compiled again.
	build := exec.Command("go", "build", "-trimpath", "-overlay", filepath.Join(dir, "overlay.json"), "-o", bin, "lanyard/cmd/lanyard")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
}

// What a process of the brisk program takes from its environment: how long an
// announcement stays the same, how long the library browses before it is begun
// anew, both as durations, and a file that says by how much the clock on the wall
// is ahead.
const (
	briskEpoch = "LANYARD_BRISK_EPOCH"
	briskRound = "LANYARD_BRISK_ROUND"
	briskAhead = "LANYARD_BRISK_AHEAD"
)

// briskVariable names the brisk program where a test runs in namespaces of its
// own, in which it could not be built.
const briskVariable = "LANYARD_BRISK"

// briskEdits make the brisk program.
var briskEdits = []edit{
	{"discovery/mdns/tags.go", "import (\n", "import (\n\t\"os\"\n"},
	{"discovery/mdns/tags.go", "const Epoch = 15 * time.Minute\n", `var Epoch = brisk("` + briskEpoch + `", 15*time.Minute)

func brisk(name string, usual time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(name)); err == nil {
		return d
	}
	return usual
}
`},
	{"discovery/mdns/source.go", "\tRound       = 60 * time.Second\n", ""},
	{"discovery/mdns/source.go", "\tjitter = 60 * time.Second\n", "\t_ = 0\n"},
	{"discovery/mdns/source.go", "// Sighting says where a paired device may be.\n", `var (
	Round  = brisk("` + briskRound + `", 60*time.Second)
	jitter = Epoch / 15
)

// Sighting says where a paired device may be.
`},
	{"discovery/network/watch.go", "import (\n", "import (\n\t\"os\"\n"},
	{"discovery/network/watch.go", "return time.Now().Round(0), time.Since(began)", "return time.Now().Round(0).Add(ahead()), time.Since(began)"},
	{"discovery/network/watch.go", "// Events is whom a Watcher tells.", `func ahead() time.Duration {
	text, err := os.ReadFile(os.Getenv("` + briskAhead + `"))
	if err != nil {
		return 0
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		panic(err)
	}
	return d
}

// Events is whom a Watcher tells.`},
}

// buildBrisk builds the brisk program, once for all tests.
var buildBrisk = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "lanyard-brisk-")
	if err != nil {
		return err
	}
	atEnd = append(atEnd, func() { os.RemoveAll(dir) })
	bin, err := buildWith(dir, briskEdits...)
	if err != nil {
		return err
	}
	return os.Setenv(briskVariable, bin) // inherited by whoever runs in namespaces
})

// needBrisk makes sure that there is a brisk program: call it before a test goes
// into namespaces of its own.
func needBrisk(t *testing.T) {
	t.Helper()
	if os.Getenv(insideVariable) == "" {
		must(t, buildBrisk())
	}
}

// brisk has a device run the brisk program, with variables of its environment.
func (l *netLanyard) brisk(t *testing.T, env ...string) {
	t.Helper()
	l.bin, l.env = os.Getenv(briskVariable), env
	if l.bin == "" {
		t.Fatal(errors.New("the test was not prepared by needBrisk"))
	}
}
