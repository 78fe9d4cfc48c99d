package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestAnEngineWithTenThousandFilesRestsBelow80MiB has one device alone, without
// a window, look at a folder, and takes its resident memory when it is idle.
func TestAnEngineWithTenThousandFilesRestsBelow80MiB(t *testing.T) {
	t.Parallel()
	const files, most = 10_000, 80 << 10 // KiB
	l := newLanyard(t, "alone")
	for i := range files {
		dir := filepath.Join(l.dir, fmt.Sprintf("album %03d", i/100))
		if i%100 == 0 {
			must(t, os.Mkdir(dir, 0o755))
		}
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("IMG_%05d.jpg", i)), fmt.Appendf(nil, "picture %d", i), 0o600))
	}
	l.run(t, "folder", "add", l.dir, "--id", folderID)
	l.Start(t)
	l.Scan(t)
	eventually(t, patience, "idle with all files", func() error {
		s, err := l.status()
		if err == nil && (len(s.Folders) != 1 || s.Folders[0].State != "idle" || s.Folders[0].Local.Files != files) {
			err = fmt.Errorf("%+v", s.Folders)
		}
		return err
	})
	eventually(t, patience, "small", func() error {
		rest := memoryOf(t, l, "VmRSS:")
		if rest == 0 || rest >= most {
			return fmt.Errorf("%d KiB are resident", rest)
		}
		t.Logf("%d KiB resident, at most %d until then", rest, memoryOf(t, l, "VmHWM:"))
		return nil
	})
}
