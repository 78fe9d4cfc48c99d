package engine

import (
	"slices"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

const (
	// maxSending is how many files of a device are known as being sent to it; the
	// one that was asked for longest ago makes room.
	maxSending = 20
	// sendingFor is how long after its last answer a file is listed.
	sendingFor = 2 * time.Second
)

// sending knows which files a connected device fetches from here, for people
// to see, and until the device has them how much of them went over. Methods may
// be called concurrently.
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
	first = !slices.ContainsFunc(s.files, func(f sent) bool { return now.Sub(f.last) < sendingFor })
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

// list gives what is being sent to the device, and for each folder how many bytes
// went over of files that it has not got whole. A file that is gone from its
// folder's index is left out; what was sent twice counts once.
func (s *sending) list(now time.Time, to device.ID, folders map[bep.FolderID]*folderEntry) (shown []status.Sending, over map[bep.FolderID]int64) {
	s.mu.Lock()
	files := slices.Clone(s.files)
	s.mu.Unlock()
	shown, over = make([]status.Sending, 0, len(files)), map[bep.FolderID]int64{}
	for _, f := range files {
		recent := now.Sub(f.last) < sendingFor
		total, lacks := int64(0), false
		if entry := folders[f.folder]; entry != nil && entry.index != nil {
			if size, ok := sizeOf(entry.index, f.name); ok {
				total, lacks = size, !has(entry.index, to, f.name)
				if recent {
					shown = append(shown, status.Sending{Folder: string(f.folder), Name: f.name.String(), Done: min(f.bytes, total), Total: total})
				}
			}
		}
		if lacks {
			over[f.folder] += min(f.bytes, total)
		} else if !recent {
			s.done(f)
		}
	}
	return shown, over
}

// done forgets a file, unless more of it was sent since.
func (s *sending) done(f sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = slices.DeleteFunc(s.files, func(now sent) bool { return now == f })
}

// has reports whether a device has the global version of a file.
func has(ix index.Folder, dev device.ID, name relpath.Path) bool {
	have, err := ix.Availability(name)
	return err == nil && slices.Contains(have, dev)
}

func sizeOf(ix index.Folder, name relpath.Path) (int64, bool) {
	rec, ok, err := ix.Local(name)
	return rec.Size, ok && err == nil
}
