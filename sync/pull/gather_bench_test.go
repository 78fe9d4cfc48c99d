package pull_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
)

// BenchmarkEditInABigFile pulls a new version of a file of 256 MiB in which
// one block differs, onto a real disk, with the copy made durable. It compares
// with nothing else in the run but SHA-256 of the same bytes on one core
// (sha-ratio: time over that), which keeps the figure readable elsewhere.
func BenchmarkEditInABigFile(b *testing.B) {
	const size = 256 << 20
	disk, err := fsys.Open(b.TempDir(), fsys.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	if err != nil {
		b.Fatal(err)
	}
	content := []byte(random(size))
	f, err := disk.Create(relpath.MustParse("a"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.WriteAt(content, 0); err != nil {
		b.Fatal(err)
	}
	f.Close()
	o := scan.Options{FS: disk, Index: ix, Pool: block.NewPool(0), Short: ourShort, Now: time.Now}
	if _, err := scan.Walk(context.Background(), o, nil, func(batch []scan.Candidate) error {
		recs, _, err := scan.Confirm(context.Background(), o, batch)
		if err == nil {
			_, err = ix.Update(recs)
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	real := &exec.Real{}
	defer real.Close()
	source := &blocks{data: map[block.Hash][]byte{}}
	worker := pull.NewWorker(pull.Options{
		Folder: "f", FS: disk, Index: ix, Exec: real, Disk: exec.NewSerial(real), Source: source,
		Prove: func() error { return nil },
	})
	var hashing time.Duration
	seq := int64(0)
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		seq++
		start := time.Now()
		sha256.Sum256(content)
		hashing += time.Since(start)
		rec, _, err := ix.Local(relpath.MustParse("a"))
		if err != nil {
			b.Fatal(err)
		}
		next := rec.FileInfo
		next.Version = next.Version.Bump(9, 0)
		next.ModifiedS += seq
		n := len(next.Blocks) / 2
		changed := []byte(random(int(next.Blocks[n].Size)))
		changed[0] = byte(seq)
		next.Blocks[n].Hash = sha256.Sum256(changed)
		next.BlocksHash, next.PreviousBlocksHash = nil, rec.BlocksHash
		next.Sequence = seq
		source.data[next.Blocks[n].Hash] = changed
		if err := ix.UpdateRemote(first, []bep.FileInfo{next}); err != nil {
			b.Fatal(err)
		}
		done := make(chan pull.Result, 1)
		b.StartTimer()
		worker.Start(func(res pull.Result) { done <- res })
		if res := <-done; res.Err != nil || res.Changed != 1 {
			b.Fatalf("the round ended with %+v", res)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/hashing.Seconds(), "sha-ratio")
}
