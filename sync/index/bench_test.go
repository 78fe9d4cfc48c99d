package index_test

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// files is the size of the index that benchmarks work on; a first scan of a
// million is -benchtime=1000000x.
var files = flag.Int("files", 100_000, "how many files the index of a benchmark holds")

var benchDevice = device.ID{7}

// benchRecord makes the i-th file of a tree with twenty files to a directory;
// 3 in 100 have more than one block.
func benchRecord(i int, value uint64) index.Record {
	n := 1
	if i%33 == 0 {
		n = 2 + i%7
	}
	f := bep.FileInfo{
		Name:        relpath.MustParse(fmt.Sprintf("photos/%02d/%05d/IMG_%07d.jpg", i/2000%50, i/20, i)),
		Permissions: 0o644, ModifiedS: 1_700_000_000 + int64(i), Sequence: int64(i + 1),
		Version: vector.Vector{{ID: 1 << 60, Value: 1_700_000_000 + value}}, ModifiedBy: 1 << 60, BlockSize: block.MinSize,
	}
	for j := range n {
		b := block.Info{Offset: int64(j) * block.MinSize, Size: block.MinSize}
		if j == n-1 {
			b.Size = int32(1 + i%block.MinSize)
		}
		b.Hash = sha256.Sum256(binary.LittleEndian.AppendUint64(nil, value<<40|uint64(i)<<8|uint64(j)))
		f.Blocks = append(f.Blocks, b)
		f.Size += int64(b.Size)
	}
	h := block.ListHash(f.Blocks)
	f.BlocksHash = h[:]
	return index.Record{FileInfo: f, Stamp: index.Stamp{Inode: uint64(i), Ctime: 1_700_000_000e9, Mtime: 1_700_000_000e9, Size: f.Size, Mode: 0o644}}
}

func benchFolder(b *testing.B) index.Folder {
	b.Helper()
	s, f := openBench(b, b.TempDir())
	b.Cleanup(func() { s.Close() })
	return f
}

func openBench(b *testing.B, dir string) (index.Store, index.Folder) {
	b.Helper()
	s, err := index.OpenSQLite(dir, index.SQLiteOptions{})
	if err != nil {
		b.Fatal(err)
	}
	f, err := s.Folder("bench")
	if err != nil {
		b.Fatal(err)
	}
	return s, f
}

// inBatches calls do for each thousand of n files, made outside the clock.
func inBatches(b *testing.B, n int, value uint64, do func([]index.Record) error) {
	b.Helper()
	var recs []index.Record
	for i := range n {
		recs = append(recs, benchRecord(i, value))
		if len(recs) == 1000 || i == n-1 {
			b.StartTimer()
			err := do(recs)
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			recs = recs[:0]
		}
	}
}

func storeLocal(f index.Folder) func([]index.Record) error {
	return func(recs []index.Record) error {
		_, err := f.Update(recs)
		return err
	}
}

func storeRemote(f index.Folder) func([]index.Record) error {
	return func(recs []index.Record) error {
		infos := make([]bep.FileInfo, len(recs))
		for i := range recs {
			infos[i] = recs[i].FileInfo
		}
		return f.UpdateRemote(benchDevice, infos)
	}
}

// filled gives an index with so many files of ours and a tenth of them newer at
// another device.
func filled(b *testing.B) index.Folder {
	b.Helper()
	f := benchFolder(b)
	fill(b, f)
	return f
}

func fill(b *testing.B, f index.Folder) {
	b.Helper()
	b.StopTimer()
	inBatches(b, *files, 0, storeLocal(f))
	inBatches(b, *files/10, 1, storeRemote(f))
	b.ResetTimer()
	b.StartTimer()
}

func reportRate(b *testing.B, n int) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rec/s")
}

func BenchmarkFirstScan(b *testing.B) {
	f := benchFolder(b)
	b.StopTimer()
	b.ResetTimer()
	inBatches(b, b.N, 0, storeLocal(f))
	reportRate(b, b.N)
}

// BenchmarkFirstScanThenIdle has the index by content in the time as well.
func BenchmarkFirstScanThenIdle(b *testing.B) {
	f := benchFolder(b)
	b.StopTimer()
	b.ResetTimer()
	inBatches(b, b.N, 0, storeLocal(f))
	b.StartTimer()
	if err := f.Idle(); err != nil {
		b.Fatal(err)
	}
	reportRate(b, b.N)
}

func BenchmarkFirstRemoteIndex(b *testing.B) {
	f := benchFolder(b)
	b.StopTimer()
	b.ResetTimer()
	inBatches(b, b.N, 0, storeRemote(f))
	reportRate(b, b.N)
}

func BenchmarkRemoteAnnouncesWhatWeHave(b *testing.B) {
	f := benchFolder(b)
	b.StopTimer()
	inBatches(b, b.N, 0, storeLocal(f))
	b.ResetTimer()
	inBatches(b, b.N, 0, storeRemote(f))
	reportRate(b, b.N)
}

func BenchmarkNeededPages(b *testing.B) {
	f := filled(b)
	n := 0
	for b.Loop() {
		var after relpath.Path
		for {
			page, err := f.Needed(after, 500)
			if err != nil {
				b.Fatal(err)
			}
			n += len(page)
			if len(page) < 500 {
				break
			}
			after = page[499].Global.Name
		}
	}
	reportRate(b, n)
}

func BenchmarkSincePages(b *testing.B) {
	f := filled(b)
	n := 0
	for b.Loop() {
		for seq := int64(0); seq < f.Sequence(); {
			page, err := f.LocalSince(seq, 500)
			if err != nil {
				b.Fatal(err)
			}
			n += len(page)
			seq = page[len(page)-1].Sequence
		}
	}
	reportRate(b, n)
}

func BenchmarkLocalByName(b *testing.B) {
	f := filled(b)
	for i := 0; b.Loop(); i++ {
		if _, ok, err := f.Local(benchRecord(i*7919%*files, 0).Name); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkDirectory lists a directory of twenty files.
func BenchmarkDirectory(b *testing.B) {
	f := filled(b)
	for i := 0; b.Loop(); i++ {
		dir := benchRecord(i*7919%*files, 0).Name.Dir()
		if got, err := f.LocalRange(dir, relpath.Path{}, 100); len(got) == 0 || err != nil {
			b.Fatal(len(got), err)
		}
	}
}

// BenchmarkLocalByNameBesideUpdates reads while batches of a thousand are
// stored without a pause.
func BenchmarkLocalByNameBesideUpdates(b *testing.B) {
	f := filled(b)
	var recs []index.Record
	for i := range 1000 {
		recs = append(recs, benchRecord(i*7919%*files, 2))
	}
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if _, err := f.Update(recs); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		begun := time.Now()
		if _, ok, err := f.Local(benchRecord(i*7919%*files, 0).Name); !ok || err != nil {
			b.Fatal(ok, err)
		}
		took = append(took, time.Since(begun))
	}
	close(stop)
	if err := <-stopped; err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}

// BenchmarkRandomUpdates stores 10,000 new versions, by the thousand.
func BenchmarkRandomUpdates(b *testing.B) {
	f := filled(b)
	for value := uint64(2); b.Loop(); value++ {
		b.StopTimer()
		var recs []index.Record
		for i := range 10_000 {
			recs = append(recs, benchRecord((i*7919+int(value))%*files, value))
		}
		b.StartTimer()
		for batch := range slices.Chunk(recs, 1000) {
			if _, err := f.Update(batch); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkOpen opens a store that was closed in order, and a folder of it.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, f := openBench(b, dir)
	fill(b, f)
	if err := f.Idle(); err != nil {
		b.Fatal(err)
	}
	var mib float64
	for b.Loop() {
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		mib = sizeOf(b, dir)
		b.StartTimer()
		s, _ = openBench(b, dir)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(mib, "MiB")
}

// sizeOf gives what all files below a directory hold, in MiB.
func sizeOf(b *testing.B, dir string) float64 {
	b.Helper()
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(sum) / (1 << 20)
}

func BenchmarkLocalByContent(b *testing.B) {
	f := filled(b)
	r := benchRecord(*files/2, 0)
	hash := block.ListHash(r.Blocks)
	for b.Loop() {
		if got, err := f.LocalByContent(hash, r.Size, 2); len(got) != 1 || err != nil {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkCounts(b *testing.B) {
	f := filled(b)
	for b.Loop() {
		if _, err := f.Counts(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOneUpdateAndBarrier(b *testing.B) {
	f := filled(b)
	for i := 0; b.Loop(); i++ {
		if _, err := f.Update([]index.Record{benchRecord(i%*files, uint64(i+2))}); err != nil {
			b.Fatal(err)
		}
		if err := f.Barrier(); err != nil {
			b.Fatal(err)
		}
	}
}
