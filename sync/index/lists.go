package index

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"zombiezen.com/go/sqlite"

	"lanyard/sync/block"
)

// A list in blist is its hash and the hashes of the blocks. One of more than
// pieceBlocks is read and written a piece at a time: whole, it would be held
// four times over on its way between SQLite's pages and the entry.
const (
	listHead    = len(block.Hash{})
	pieceBlocks = 8192
)

// fillList gives the blocks the hashes of a list in blist, which has as many,
// checked.
func (c *conn) fillList(id int64, blocks []block.Info) error {
	if len(blocks) > pieceBlocks {
		return c.withList(id, false, func(b *sqlite.Blob) error { return readList(id, b, blocks) })
	}
	data, err := c.list(id)
	if err != nil {
		return err
	}
	return readList(id, bytes.NewReader(data), blocks)
}

// list gives a list as it is stored, empty where there is none.
func (c *conn) list(id int64) (data []byte, err error) {
	err = c.query(stListGet, func(s *stmt) { s.bindInt(1, id) }, func(s *stmt) error {
		data = s.blob(0)
		return nil
	})
	return data, err
}

// sizedReader is where a list is read from.
type sizedReader interface {
	io.Reader
	Size() int64
}

func readList(id int64, in sizedReader, blocks []block.Info) error {
	if in.Size() != int64(listHead)*int64(1+len(blocks)) {
		return damaged("block list %d has %d bytes where %d blocks are due", id, in.Size(), len(blocks))
	}
	var head block.Hash
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return fmt.Errorf("read block list: %w", err)
	}
	sum := sha256.New()
	buf := make([]byte, min(len(blocks), pieceBlocks)*listHead)
	for len(blocks) > 0 {
		n := min(len(blocks), pieceBlocks)
		piece := buf[:n*listHead]
		if _, err := io.ReadFull(in, piece); err != nil {
			return fmt.Errorf("read block list: %w", err)
		}
		sum.Write(piece)
		fillHashes(blocks[:n], piece)
		blocks = blocks[n:]
	}
	if block.Hash(sum.Sum(nil)) != head {
		return damaged("block list %d does not match its hash", id)
	}
	return nil
}

// listHashAt gives the hash that a list in blist carries, of n blocks if it is
// the one that is looked for, nil where there is no such list.
func (c *conn) listHashAt(id int64, n int) (head []byte, err error) {
	if n > pieceBlocks {
		head = make([]byte, listHead)
		err := c.withList(id, false, func(b *sqlite.Blob) error {
			_, err := io.ReadFull(b, head)
			return err
		})
		if errors.Is(err, errNoList) {
			return nil, nil
		}
		return head, err
	}
	err = c.query(stListHead, func(s *stmt) { s.bindInt(1, id) }, func(s *stmt) error {
		head = s.blob(0)
		return nil
	})
	return head, err
}

// putList stores a list.
func (c *conn) putList(id int64, list block.Hash, blocks []block.Info) error {
	if len(blocks) <= pieceBlocks {
		data := make([]byte, 0, (1+len(blocks))*listHead)
		data = appendHashes(append(data, list[:]...), blocks)
		return c.run(stListInsert, func(s *stmt) {
			s.bindInt(1, id)
			s.bindBlob(2, data)
		})
	}
	err := c.run(stListInsert, func(s *stmt) {
		s.bindInt(1, id)
		s.bindZeros(2, int64(1+len(blocks))*int64(listHead))
	})
	if err != nil {
		return err
	}
	return c.withList(id, true, func(out *sqlite.Blob) error {
		if _, err := out.Write(list[:]); err != nil {
			return fmt.Errorf("write block list: %w", err)
		}
		buf := make([]byte, 0, pieceBlocks*listHead)
		for len(blocks) > 0 {
			n := min(len(blocks), pieceBlocks)
			if _, err := out.Write(appendHashes(buf, blocks[:n])); err != nil {
				return fmt.Errorf("write block list: %w", err)
			}
			blocks = blocks[n:]
		}
		return nil
	})
}

// errNoList means that there is no such list in blist.
var errNoList = errors.New("no such block list")

// withList opens the bytes of a list in blist.
func (c *conn) withList(id int64, write bool, do func(*sqlite.Blob) error) error {
	if c.fail != nil {
		if err := c.fail(statements[stListGet]); err != nil {
			return err
		}
	}
	b, err := c.db.OpenBlob("", "blist", "data", id, write)
	if err != nil {
		if sqlite.ErrCode(err) == sqlite.ResultError { // SQLite's word for a row that is not there
			return errors.Join(errNoList, damaged("block list %d is missing: %v", id, err))
		}
		return fmt.Errorf("open block list: %w", err)
	}
	return errors.Join(do(b), b.Close())
}
