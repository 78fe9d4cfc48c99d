package e2e_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// powerCuts is how often the power goes in one test: thirty times in the long
// form.
func powerCuts() int {
	if long() {
		return 30
	}
	return 5
}

// The power of a receiver goes while it pulls, at random moments. Whatever
// stands under a name afterwards is a version that a person saved, whole, and
// the other device loses nothing by what the receiver announces then.
// LANYARD_SEED repeats the moments.
func TestAPowerCutLeavesWholeFiles(t *testing.T) {
	if inOwnMounts(t) {
		must(t, cutPower(t, "", powerCuts()))
	}
}

// The same on a disk that does not write a file out by itself before it takes
// an older one's name.
func TestAPowerCutLeavesWholeFilesWithoutAutoAlloc(t *testing.T) {
	if inOwnMounts(t) {
		must(t, cutPower(t, "noauto_da_alloc", powerCuts()))
	}
}

// TestAPowerCutIsNotSurvivedWithoutSyncs proves that the tests above can fail:
// the same with a program that does not make files durable.
func TestAPowerCutIsNotSurvivedWithoutSyncs(t *testing.T) {
	if os.Getenv(insideVariable) != "" {
		err := cutPower(t, "", 4*powerCuts())
		if err == nil {
			t.Fatal("a program that makes no file durable was not found out")
		}
		t.Logf("found out: %v", err)
		return
	}
	inOwnMounts(t, "LANYARD_BIN="+mutant(t, "sync/fsys/disk_sync_linux.go", map[string]string{
		"func (s *syncer) each(files []*osFile) error {\n":              "return nil\n",
		"func (s *syncer) syncfs(own int64) (done bool, err error) {\n": "return true, nil\n",
	}))
}

// mutant builds the program with a statement put after each of some lines of
// one of its sources.
func mutant(t *testing.T, file string, after map[string]string) string {
	t.Helper()
	var edits []edit
	for line, statement := range after {
		edits = append(edits, edit{file, line, line + statement})
	}
	bin, err := buildWith(t.TempDir(), edits...)
	must(t, err)
	return bin
}

// cutPower cuts the power of a receiver again and again. The error is what it
// should not have left behind.
func cutPower(t *testing.T, options string, cuts int) error {
	t.Helper()
	seed := killSeed(t)
	t.Logf("seed %d, mount options %q", seed, options)
	d := newDisk(t, "rw,"+options)
	a, b := newLanyard(t, "a"), newLanyardIn(t, "b", d.at)
	p := newPerson(t, a.dir, rand.New(rand.NewPCG(seed, 0)))
	p.save(0)
	connect(t, a, b, direction{"both dial", true, true})
	converge(t, copying, a, b)
	amid := 0
	for i := range cuts {
		before := b.received(t)
		size := p.save(i + 1)
		at := int64(p.rng.Float64() * float64(size))
		until(t, copying, "data", func() bool { return b.received(t)-before >= at })
		<-time.After(time.Duration(p.rng.Int64N(int64(20 * time.Millisecond))))
		d.cut(t, b.proc)
		missing, err := p.judge(b.dir)
		if err != nil {
			return fmt.Errorf("after power cut %d: %w", i+1, err)
		}
		if missing > 0 {
			amid++
		}
		want, err := readTree(a.dir) // as it is while the receiver is away
		must(t, err)
		b.Start(t)
		connected(t, a, b)
		got := converge(t, copying, a, b)
		if diff := want.diff(got); diff != "" {
			return fmt.Errorf("power cut %d spread, - wanted, + got:\n%s", i+1, diff)
		}
		t.Logf("power cut %d at %d of %d KiB: %d of %d names were not as they are to be, all are now", i+1, at>>10, size>>10, missing, len(p.last))
	}
	if amid == 0 {
		return errors.New("no power cut fell into a transfer")
	}
	t.Logf("%d power cuts, %d of them amid a transfer", cuts, amid)
	return nil
}

// person saves files, and remembers every version.
type person struct {
	t        *testing.T
	dir      string
	rng      *rand.Rand
	beside   string // where a file is written before it takes its name
	last     map[string][sha256.Size]byte
	versions map[string]map[[sha256.Size]byte]bool
	all      map[[sha256.Size]byte]bool
}

func newPerson(t *testing.T, dir string, rng *rand.Rand) *person {
	return &person{
		t: t, dir: dir, rng: rng, beside: filepath.Join(filepath.Dir(dir), "beside"), last: map[string][sha256.Size]byte{},
		versions: map[string]map[[sha256.Size]byte]bool{}, all: map[[sha256.Size]byte]bool{},
	}
}

// What a person saves in one round: replaced ones, small and big, and new ones.
// Of those that were new one round before, some are deleted.
const (
	replacedFiles = 150
	newFiles      = 300
	replacedBig   = 6 << 20
	newBig        = 3 << 20
)

func (p *person) save(round int) (size int64) {
	put := func(name string, n int) {
		p.put(name, random(n, p.rng.Uint64()))
		size += int64(n)
	}
	for i := range replacedFiles {
		put(fmt.Sprintf("kept/%d/%d", i%7, i), p.rng.IntN(40_000))
	}
	put("kept/big", replacedBig)
	put(fmt.Sprintf("new %d/big", round), newBig)
	for i := range newFiles {
		put(fmt.Sprintf("new %d/%d/%d", round, i%5, i), 1+p.rng.IntN(20_000))
		if old := fmt.Sprintf("new %d/%d/%d", round-1, i%5, i); round > 0 && i%10 == 0 {
			must(p.t, os.Remove(filepath.Join(p.dir, old)))
			delete(p.last, old)
		}
	}
	return size
}

func (p *person) put(name string, content []byte) {
	must(p.t, os.WriteFile(p.beside, content, 0o644))
	full := filepath.Join(p.dir, name)
	must(p.t, os.MkdirAll(filepath.Dir(full), 0o755))
	must(p.t, os.Rename(p.beside, full))
	sum := sha256.Sum256(content)
	if p.versions[name] == nil {
		p.versions[name] = map[[sha256.Size]byte]bool{}
	}
	p.last[name], p.versions[name][sum], p.all[sum] = sum, true, true
}

// judge looks at a receiver's folder that nobody works on: each name holds one
// of its versions, kept versions are versions, and what is only ever replaced
// is there. It counts the names that do not hold their last version.
func (p *person) judge(dir string) (missing int, err error) {
	missing = len(p.last)
	found := map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		base := e.Name()
		switch {
		case err != nil:
			return err
		case base == ".stfolder":
			return fs.SkipDir
		case e.IsDir(), strings.HasPrefix(base, ".syncthing."):
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		kept := strings.HasPrefix(name, ".stversions/")
		if kept && !p.all[sum] || !kept && !p.versions[name][sum] {
			return fmt.Errorf("%s holds %d bytes that nobody saved there", name, len(content))
		}
		found[name] = true
		if p.last[name] == sum {
			missing--
		}
		return nil
	})
	for name := range p.last {
		if strings.HasPrefix(name, "kept/") && !found[name] && err == nil {
			err = fmt.Errorf("%s is gone", name)
		}
	}
	return missing, err
}
