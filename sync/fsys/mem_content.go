package fsys

import (
	"io"
	"maps"
)

const pageSize = 4096

// content is the bytes of a file in memory, in pages as a kernel caches them.
// Pages that were never written are holes and cost nothing, so a file may be
// huge. A page is never changed in place: clones share pages.
type content struct {
	size  int64
	pages map[int64]*[pageSize]byte // by page number
}

// clone gives an independent copy that shares the pages.
func (c content) clone() content {
	return content{size: c.size, pages: maps.Clone(c.pages)}
}

// allocated is the disk space in use.
func (c content) allocated() int64 { return int64(len(c.pages)) * pageSize }

// readAt is io.ReaderAt.
func (c content) readAt(b []byte, off int64) (int, error) {
	if off >= c.size {
		return 0, io.EOF
	}
	n := 0
	for n < len(b) && off < c.size {
		in := off % pageSize
		span := min(int64(len(b)-n), pageSize-in, c.size-off)
		if page := c.pages[off/pageSize]; page != nil {
			copy(b[n:n+int(span)], page[in:])
		} else {
			clear(b[n : n+int(span)])
		}
		n += int(span)
		off += span
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// grows is the space that a write of n bytes at off adds.
func (c content) grows(off, n int64) int64 {
	added := int64(0)
	for p := off / pageSize; n > 0 && p <= (off+n-1)/pageSize; p++ {
		if c.pages[p] == nil {
			added += pageSize
		}
	}
	return added
}

// writeAt stores b at off and grows the file as needed.
func (c *content) writeAt(b []byte, off int64) {
	if c.pages == nil {
		c.pages = map[int64]*[pageSize]byte{}
	}
	c.size = max(c.size, off+int64(len(b)))
	for len(b) > 0 {
		in := off % pageSize
		page := new([pageSize]byte)
		if old := c.pages[off/pageSize]; old != nil {
			*page = *old
		}
		n := copy(page[in:], b)
		c.pages[off/pageSize] = page
		b, off = b[n:], off+int64(n)
	}
}

// truncate sets the size. Bytes beyond the end are gone: if the file grows
// again they are zero.
func (c *content) truncate(size int64) {
	if size < c.size {
		last := size / pageSize
		maps.DeleteFunc(c.pages, func(p int64, _ *[pageSize]byte) bool {
			return p > last || p == last && size%pageSize == 0
		})
		if old := c.pages[last]; old != nil {
			page := *old
			clear(page[size%pageSize:])
			c.pages[last] = &page
		}
	}
	c.size = size
}

// bytes gives the whole content.
func (c content) bytes() []byte {
	b := make([]byte, c.size)
	_, _ = c.readAt(b, 0) // io.EOF of an empty file is no failure here
	return b
}
