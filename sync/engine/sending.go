package engine

import (
	"slices"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

const (
	// maxSending is how many files of a device are listed as being sent to it;
	// the one that was asked for longest ago makes room.
	maxSending = 20
	// sendingFor is how long after its last answer a file is listed.
	sendingFor = 2 * time.Second
)

// sending knows which files a connected device fetches from here, for people
// to see. Methods may be called concurrently.
type sending struct {
	mu    sync.Mutex
	files []sent // as they were begun
}

// sent is a file of which a device got blocks.
type sent struct {
	folder bep.FolderID
	name   relpath.Path
	bytes  int64
	last   time.Time
}

// answered notes that the device got n bytes of a file, and reports whether
// that is the first for a while: whoever watches wants to hear of it.
func (s *sending) answered(folder bep.FolderID, name relpath.Path, n int64, now time.Time) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = slices.DeleteFunc(s.files, func(f sent) bool { return now.Sub(f.last) >= sendingFor })
	first = len(s.files) == 0
	i := slices.IndexFunc(s.files, func(f sent) bool { return f.name == name && f.folder == folder })
	if i < 0 {
		if len(s.files) == maxSending {
			oldest := 0
			for j, f := range s.files {
				if f.last.Before(s.files[oldest].last) {
					oldest = j
				}
			}
			s.files = slices.Delete(s.files, oldest, oldest+1)
		}
		i = len(s.files)
		s.files = append(s.files, sent{folder: folder, name: name})
	}
	s.files[i].bytes += n
	s.files[i].last = now
	return first
}

// list gives what is being sent. A file that is gone from its folder's index is
// left out; what was sent twice counts once.
func (s *sending) list(now time.Time, folders map[bep.FolderID]*folderEntry) []status.Sending {
	s.mu.Lock()
	files := slices.Clone(s.files)
	s.mu.Unlock()
	out := make([]status.Sending, 0, len(files))
	for _, f := range files {
		entry := folders[f.folder]
		if entry == nil || entry.index == nil || now.Sub(f.last) >= sendingFor {
			continue
		}
		if total, ok := sizeOf(entry.index, f.name); ok {
			out = append(out, status.Sending{Folder: string(f.folder), Name: f.name.String(), Done: min(f.bytes, total), Total: total})
		}
	}
	return out
}

func sizeOf(ix index.Folder, name relpath.Path) (int64, bool) {
	rec, ok, err := ix.Local(name)
	return rec.Size, ok && err == nil
}
