package serve_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a scanned folder and its server.
type rig struct {
	t      testing.TB
	now    time.Time
	disk   *fsys.Mem
	user   fsys.User
	index  index.Folder
	server *serve.Server

	mu    sync.Mutex
	dirty []string
}

func newRig(t testing.TB, contents map[string][]byte) *rig {
	r := &rig{t: t, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	r.disk = fsys.NewMem(fsys.MemOptions{Now: func() time.Time { return r.now }})
	r.user = r.disk.User()
	folder, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	r.must(err)
	r.index = folder
	for name, content := range contents {
		r.must(r.user.WriteFile(name, content))
	}
	r.scan()
	r.server = serve.New(serve.Options{
		FS: r.disk, Index: r.index,
		Ignored: func(p relpath.Path) bool { return p.Base() == "ignored" },
		Dirty: func(p relpath.Path) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.dirty = append(r.dirty, p.String())
		},
	})
	t.Cleanup(r.server.Close)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) scan() {
	r.t.Helper()
	r.now = r.now.Add(time.Minute)
	o := scan.Options{FS: r.disk, Index: r.index, Pool: block.NewPool(1), Short: 7, Now: func() time.Time { return r.now }}
	_, err := scan.Walk(context.Background(), o, nil, func(batch []scan.Candidate) error {
		recs, _, err := scan.Confirm(context.Background(), o, batch)
		if err != nil {
			return err
		}
		_, err = r.index.Update(recs)
		return err
	})
	r.must(err)
}

// request asks for a range of content under its right hash.
func request(name string, content []byte, offset, size int) *bep.Request {
	hash := sha256.Sum256(content[offset : offset+size])
	return &bep.Request{Name: relpath.MustParse(name), Offset: int64(offset), Size: int32(size), Hash: hash[:]}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}

func TestEveryBlockOfEveryFileIsServed(t *testing.T) {
	contents := map[string][]byte{
		"empty": {}, "one": {1}, "edge": randomBytes(block.MinSize), "big": randomBytes(5*block.MinSize + 3),
	}
	r := newRig(t, contents)
	prefix := []byte("frame header")
	for name, content := range contents {
		rec, _, err := r.index.Local(relpath.MustParse(name))
		r.must(err)
		for _, b := range rec.Blocks {
			req := request(name, content, int(b.Offset), int(b.Size))
			got, code := r.server.Answer(bytes.Clone(prefix), req)
			want := append(bytes.Clone(prefix), content[b.Offset:b.Offset+int64(b.Size)]...)
			if code != bep.CodeOK || !bytes.Equal(got, want) {
				t.Errorf("%s at %d: code %d, %d bytes, want %d", name, b.Offset, code, len(got), len(want))
			}
		}
	}
	if len(r.dirty) > 0 {
		t.Errorf("dirty: %v", r.dirty)
	}
}

func TestRequestsAreRefused(t *testing.T) {
	content := randomBytes(3 * block.MinSize)
	r := newRig(t, map[string][]byte{
		"f": content, "ignored": content, "changed": content, "gone": content, ".syncthing.x.tmp": content, "was-ignored": content,
	})
	r.must(r.user.MkdirAll("dir"))
	r.must(r.user.Symlink("f", "link"))
	r.scan()
	rec, _, err := r.index.Local(relpath.MustParse("was-ignored"))
	r.must(err)
	rec.Flags = index.Ignored
	_, err = r.index.Update([]index.Record{rec})
	r.must(err)
	r.must(r.user.WriteFile("changed", content))
	r.must(r.user.Remove("gone"))

	first := func(name string) *bep.Request { return request(name, content, 0, block.MinSize) }
	with := func(change func(*bep.Request)) *bep.Request {
		req := first("f")
		change(req)
		return req
	}
	tests := []struct {
		name  string
		req   *bep.Request
		want  bep.ErrorCode
		dirty string
	}{
		{"a block", first("f"), bep.CodeOK, "[]"},
		{"a part of a block with the hash of the part", request("f", content, 100, 1000), bep.CodeOK, "[]"},
		{"several blocks at once", request("f", content, 10, 2*block.MinSize), bep.CodeOK, "[]"},
		{"a part with another hash", with(func(q *bep.Request) { q.Size = 10 }), bep.CodeNoSuchFile, "[]"},
		{"a block of that hash at another place", with(func(q *bep.Request) { q.Offset = block.MinSize }), bep.CodeNoSuchFile, "[]"},
		{"no hash", with(func(q *bep.Request) { q.Hash = nil }), bep.CodeGeneric, "[]"},
		{"a hash of another length", with(func(q *bep.Request) { q.Hash = make([]byte, 48) }), bep.CodeGeneric, "[]"},
		{"a range past the end", with(func(q *bep.Request) { q.Offset = 3*block.MinSize - 1 }), bep.CodeNoSuchFile, "[]"},
		{"a negative offset", with(func(q *bep.Request) { q.Offset = -1 }), bep.CodeGeneric, "[]"},
		{"an offset that overflows", with(func(q *bep.Request) { q.Offset = 1<<63 - 5 }), bep.CodeGeneric, "[]"},
		{"a negative size", with(func(q *bep.Request) { q.Size = -1 }), bep.CodeGeneric, "[]"},
		{"a huge size", with(func(q *bep.Request) { q.Size = 1 << 30 }), bep.CodeGeneric, "[]"},
		{"no name", with(func(q *bep.Request) { q.Name = relpath.Root }), bep.CodeGeneric, "[]"},
		{"size 0 without a hash, as old peers ask", with(func(q *bep.Request) { q.Size, q.Hash = 0, nil }), bep.CodeOK, "[]"},
		{"a temporary file of ours", first(".syncthing.x.tmp"), bep.CodeInvalidFile, "[]"},
		{"something in the marker", first(".stfolder/f"), bep.CodeInvalidFile, "[]"},
		{"an ignored name", first("ignored"), bep.CodeInvalidFile, "[]"},
		{"a record marked ignored", first("was-ignored"), bep.CodeInvalidFile, "[]"},
		{"a name that never was", first("never"), bep.CodeNoSuchFile, "[]"},
		{"a directory", first("dir"), bep.CodeNoSuchFile, "[]"},
		{"a link", first("link"), bep.CodeNoSuchFile, "[]"},
		{"a path through a link", first("link/f"), bep.CodeNoSuchFile, "[]"},
		{"a file that changed since", first("changed"), bep.CodeNoSuchFile, "[changed]"},
		{"a file that is gone", first("gone"), bep.CodeNoSuchFile, "[gone]"},
		{"from a temporary file: the finished one", with(func(q *bep.Request) { q.FromTemporary = true }), bep.CodeOK, "[]"},
	}
	for _, tt := range tests {
		r.dirty = nil
		got, code := r.server.Answer(nil, tt.req)
		if code != tt.want || code != bep.CodeOK && len(got) > 0 {
			t.Errorf("%s: code %d and %d bytes, want %d", tt.name, code, len(got), tt.want)
		}
		if s := fmt.Sprint(r.dirty); s != tt.dirty {
			t.Errorf("%s: dirty %s, want %s", tt.name, s, tt.dirty)
		}
	}
}

func TestAFileThatIsWrittenDuringTheReadIsNotServed(t *testing.T) {
	content := randomBytes(2 * block.MinSize)
	r := newRig(t, map[string][]byte{"f": content})
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpRead {
			r.disk.SetHook(nil)
			return r.user.WriteFile("f", append([]byte("new"), content[3:]...))
		}
		return nil
	})
	if _, code := r.server.Answer(nil, request("f", content, 0, block.MinSize)); code != bep.CodeNoSuchFile {
		t.Errorf("code %d, want %d", code, bep.CodeNoSuchFile)
	}
	if fmt.Sprint(r.dirty) != "[f]" {
		t.Errorf("dirty %v", r.dirty)
	}
}

func TestAStampThatProvesNothingIsReplacedByTheHash(t *testing.T) {
	content := randomBytes(block.MinSize)
	for _, weaken := range []func(*index.Record){
		func(rec *index.Record) { rec.Stamp = index.Stamp{} },
		func(rec *index.Record) { rec.Flags = index.MustRescan },
	} {
		r := newRig(t, map[string][]byte{"f": content})
		rec, _, err := r.index.Local(relpath.MustParse("f"))
		r.must(err)
		weaken(&rec)
		_, err = r.index.Update([]index.Record{rec})
		r.must(err)
		req := request("f", content, 0, block.MinSize)
		if _, code := r.server.Answer(nil, req); code != bep.CodeOK {
			t.Errorf("the right bytes: code %d", code)
		}
		other := bytes.Clone(content)
		other[5]++
		r.must(r.user.WriteFile("f", other))
		if _, code := r.server.Answer(nil, req); code != bep.CodeNoSuchFile || fmt.Sprint(r.dirty) != "[f]" {
			t.Errorf("other bytes: code %d, dirty %v", code, r.dirty)
		}
	}
}

func TestABigFileIsOpenedOnceAndClosedAtItsEnd(t *testing.T) {
	content := randomBytes(10 * block.MinSize)
	r := newRig(t, map[string][]byte{"f": content})
	opens := 0
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpOpen {
			opens++
		}
		return nil
	})
	read := func(i int) bep.ErrorCode {
		_, code := r.server.Answer(nil, request("f", content, i*block.MinSize, block.MinSize))
		return code
	}
	for round := range 2 {
		for i := range 10 {
			if code := read(i); code != bep.CodeOK {
				t.Fatalf("block %d: code %d", i, code)
			}
		}
		if opens != round+1 {
			t.Fatalf("opened %d times in %d rounds", opens, round+1)
		}
	}
	read(0)
	r.server.CloseIdle()
	read(1)
	if opens != 4 {
		t.Errorf("opened %d times, want again after CloseIdle: 4", opens)
	}
}

func TestAFileReplacedBetweenTwoRequestsIsServedAnewOnceScanned(t *testing.T) {
	old, fresh := randomBytes(3*block.MinSize), randomBytes(4 * block.MinSize)[block.MinSize:]
	r := newRig(t, map[string][]byte{"f": old})
	r.server.Answer(nil, request("f", old, 0, block.MinSize))
	r.must(r.user.WriteFile("g", fresh))
	r.must(r.user.Rename("g", "f"))
	if _, code := r.server.Answer(nil, request("f", old, block.MinSize, block.MinSize)); code != bep.CodeNoSuchFile {
		t.Errorf("before the scan: code %d", code)
	}
	r.scan()
	got, code := r.server.Answer(nil, request("f", fresh, block.MinSize, block.MinSize))
	if code != bep.CodeOK || !bytes.Equal(got, fresh[block.MinSize:2*block.MinSize]) {
		t.Errorf("after the scan: code %d", code)
	}
}

func TestManyPeersReadMoreFilesThanStayOpen(t *testing.T) {
	const count = 50
	content := randomBytes(2*block.MinSize + 1)
	contents := map[string][]byte{}
	for i := range count {
		contents[fmt.Sprint("f", i)] = content
	}
	r := newRig(t, contents)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 3 * count {
				name, at := fmt.Sprint("f", i%count), i/count%2*block.MinSize
				got, code := r.server.Answer(nil, request(name, content, at, block.MinSize))
				if code != bep.CodeOK || !bytes.Equal(got, content[at:at+block.MinSize]) {
					t.Errorf("%s at %d: code %d", name, at, code)
				}
				if i%20 == 0 {
					r.server.CloseIdle()
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkAnswer(b *testing.B) {
	big, small := randomBytes(64<<20), randomBytes(4000)
	r := newRig(b, map[string][]byte{"big": big, "small": small})
	buf := make([]byte, 0, block.MinSize)
	b.Run("blocks of a big file", func(b *testing.B) {
		var reqs []*bep.Request
		for at := 0; at < len(big); at += block.MinSize {
			reqs = append(reqs, request("big", big, at, block.MinSize))
		}
		b.SetBytes(block.MinSize)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, code := r.server.Answer(buf, reqs[i%len(reqs)]); code != bep.CodeOK {
				b.Fatal(code)
			}
		}
	})
	b.Run("a small file", func(b *testing.B) {
		req := request("small", small, 0, len(small))
		b.ReportAllocs()
		for b.Loop() {
			if _, code := r.server.Answer(buf, req); code != bep.CodeOK {
				b.Fatal(code)
			}
		}
	})
}
