package peer

import (
	"time"

	"lanyard/sync/bep"
)

// exchange is the sending of one folder's index.
type exchange struct {
	start   int         // as in ReadPage
	index   bep.IndexID // the life of our index that is sent
	through int64       // sent up to this sequence
	first   bool        // an Index comes next, not an IndexUpdate
	dirty   bool        // our index changed since the last page was asked for
	last    time.Time
}

// begin starts the index exchange of every folder that both run and that is
// not on its way; anew, all of them. It ends that of every other folder.
func (s *Session) begin(now time.Time, anew bool) {
	for id := range s.exchange {
		if s.remote[id] == nil {
			delete(s.exchange, id)
		}
	}
	for _, id := range s.folders() {
		rf, lf := s.remote[id], s.local[id]
		if rf.Stopped || lf == nil || lf.Paused {
			delete(s.exchange, id)
			continue
		}
		if s.exchange[id] != nil && !anew {
			continue
		}
		known := lf.device(s.peer)
		unmet := known != nil && known.IndexID == 0
		if !rf.Looking {
			s.beginReceiving(lf, s.deviceIn(rf, s.peer))
		}
		back := !rf.Looking && !lf.Looking && s.wentBack(lf, s.deviceIn(rf, s.self), unmet)
		if back || lf.holds() {
			delete(s.exchange, id)
			continue
		}
		ours := s.deviceIn(rf, s.self)
		if rf.Looking {
			ours = &bep.Device{} // it holds nothing of the folder
		}
		s.beginSending(now, lf, ours)
	}
}

// wentBack reports whether nothing of ours may be sent because what the peer
// holds of it is not what we have. A Configure follows once it is known what was
// lost. It is told once.
func (s *Session) wentBack(f *LocalFolder, ours *bep.Device, unmet bool) bool {
	if ours.IndexID == 0 || ours.IndexID == f.IndexID && f.gave(ours.MaxSequence) {
		return false
	}
	held := holding{ours.IndexID, ours.MaxSequence}
	if s.told[f.ID] == held {
		return ours.IndexID == f.IndexID // a new ID is on its way
	}
	s.told[f.ID] = held
	s.emit(WentBack{Folder: f.ID, IndexID: ours.IndexID, Sequence: ours.MaxSequence, Unmet: unmet})
	return true
}

// holding is what a peer holds of an index of ours.
type holding struct {
	index    bep.IndexID
	sequence int64
}

// beginReceiving forgets what the peer announced in an earlier life of its
// index.
func (s *Session) beginReceiving(f *LocalFolder, theirs *bep.Device) {
	d := f.device(s.peer)
	if d != nil && (theirs.IndexID == 0 || theirs.IndexID != d.IndexID) {
		s.emit(Reset{Folder: f.ID, IndexID: theirs.IndexID})
		d.IndexID, d.MaxSequence = theirs.IndexID, 0
	}
}

// beginSending sends what the peer lacks of our index: what follows the
// highest sequence that it holds, or everything where it holds another index.
func (s *Session) beginSending(now time.Time, f *LocalFolder, ours *bep.Device) {
	s.starts++
	x := &exchange{start: s.starts, index: f.IndexID, dirty: true}
	if ours.IndexID == f.IndexID {
		x.through = ours.MaxSequence
	}
	x.first = x.through == 0
	s.exchange[f.ID] = x
	s.next(now, f.ID, x)
}

// next asks for the next page if there may be one. A folder has one page on its
// way at a time, also across exchanges that end and begin anew: a device that
// has us begin again and again must not have us read side by side.
func (s *Session) next(now time.Time, id bep.FolderID, x *exchange) {
	if s.paging[id] || !x.dirty || now.Before(x.last.Add(indexPause)) {
		return
	}
	s.paging[id], x.dirty = true, false
	s.emit(ReadPage{Folder: id, Start: x.start, After: x.through})
}

func (s *Session) page(now time.Time, p Page) {
	x := s.exchange[p.Folder]
	if x == nil || x.start != p.Start || len(p.Files) == 0 {
		s.pageDone(now, p.Folder)
		return
	}
	m := &bep.Index{Folder: p.Folder, Files: p.Files, LastSequence: p.Through, Update: !x.first}
	if m.Update {
		m.PrevSequence = x.through
	}
	x.first = false
	x.through = p.Through
	if f := s.local[p.Folder]; f != nil {
		f.Sequence = max(f.Sequence, p.Through)
	}
	x.dirty = x.dirty || p.More
	if !p.More {
		x.last = now
	}
	s.lastSent = now
	s.emit(SendPage{Message: m})
}

// pageDone goes on once a page was written, or was not to be sent.
func (s *Session) pageDone(now time.Time, id bep.FolderID) {
	delete(s.paging, id)
	if x := s.exchange[id]; x != nil {
		s.next(now, id, x)
	}
}

// looks reports whether the peer looks at a folder: it has nothing to tell.
func (s *Session) looks(id bep.FolderID) bool { return s.remote[id] != nil && s.remote[id].Looking }

// index takes entries of the peer's.
func (s *Session) index(m *bep.Index) {
	f := s.local[m.Folder]
	switch {
	case f == nil && s.former[m.Folder], f != nil && f.Paused, s.looks(m.Folder):
		s.missed[m.Folder] = true // it was on its way when we stopped sharing
		return
	case f == nil:
		s.drop("protocol error: an index for the folder %q, which is not shared", bep.CleanName(string(m.Folder)))
		return
	}
	d := f.device(s.peer)
	if m.Update && s.missed[m.Folder] && d != nil && m.PrevSequence > d.MaxSequence {
		// It follows entries that were ignored: storing it would claim those too.
		// The device was told what we hold and begins again from there.
		return
	}
	delete(s.missed, m.Folder)
	if !m.Update && d != nil {
		if rf := s.remote[m.Folder]; rf != nil {
			// Not what we were configured with: that may be from before a Reset.
			d.IndexID = s.deviceIn(rf, s.peer).IndexID
		}
		s.emit(Reset{Folder: m.Folder, IndexID: d.IndexID})
		d.MaxSequence = 0
	}
	if d != nil && len(m.Files) > 0 {
		d.MaxSequence = max(d.MaxSequence, m.Files[len(m.Files)-1].Sequence)
	}
	s.emit(Store{Folder: m.Folder, Index: m})
}
