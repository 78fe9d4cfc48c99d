package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"lanyard/sync/device"
	"lanyard/sync/vector"
)

// Stats gives figures for support.
func (f *sqliteFolder) Stats() (Stats, error) {
	x := f.now()
	st := Stats{IndexID: x.indexID, Sequence: x.seq, Counts: x.tally.counts(), Recovery: x.recovery}
	for _, d := range x.devices.slots {
		if d.ID != (device.ID{}) {
			st.Remotes++
		}
	}
	err := f.reading("index figures", func(c *conn) error {
		var err error
		st.Exclusive = f.exclusive
		if st.Rows, err = c.number(`SELECT count(*) FROM rec`); err != nil {
			return err
		}
		st.Lists, err = c.number(`SELECT count(*) FROM blist`)
		return err
	})
	if err != nil {
		return st, err
	}
	if st.Snapshot, err = f.when(metaSnapshot); err != nil {
		return st, err
	}
	if st.Checked, err = f.when(metaChecked); err != nil {
		return st, err
	}
	for _, suffix := range fileSuffixes {
		if info, err := os.Stat(f.path + suffix); err == nil {
			st.Bytes += info.Size()
		}
	}
	return st, nil
}

func (c *conn) number(sql string) (n int64, err error) {
	text, err := c.first(sql)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(text, &n)
	return n, err
}

// exportSchema makes the rows of an export readable without this program. What
// a body holds is not to be had in SQL, so the version vectors are written out.
var exportSchema = []string{
	`CREATE TABLE slot_device(slot INTEGER PRIMARY KEY, device TEXT NOT NULL)`,
	`CREATE TABLE rec_version(id INTEGER PRIMARY KEY, version TEXT NOT NULL)`,
	`CREATE VIEW v_rec AS SELECT
		r.name AS name,
		CASE WHEN r.flags & 4 THEN 'directory' WHEN r.flags & 16 THEN 'symlink' ELSE 'file' END AS type,
		trim(CASE WHEN r.flags & 1 THEN 'global ' ELSE '' END || CASE WHEN r.flags & 2 THEN 'needed ' ELSE '' END ||
			CASE WHEN r.flags & 8 THEN 'deleted ' ELSE '' END || CASE WHEN r.flags & 32 THEN 'invalid ' ELSE '' END ||
			CASE WHEN r.flags & 64 THEN 'ignored ' ELSE '' END || CASE WHEN r.flags & 128 THEN 'must-rescan ' ELSE '' END ||
			CASE WHEN r.flags & 256 THEN 'receive-only ' ELSE '' END || CASE WHEN r.flags & 512 THEN 'unsupported' ELSE '' END) AS flags,
		coalesce((SELECT group_concat(device, ' ') FROM slot_device WHERE r.devs >> slot & 1), '') AS devices,
		r.size AS size,
		strftime('%Y-%m-%dT%H:%M:%SZ', r.mtime / 1000000000, 'unixepoch') AS modified,
		r.lseq AS sequence,
		v.version AS version
	FROM rec r LEFT JOIN rec_version v ON v.id = r.id`,
}

// Export writes everything to a new SQLite file.
func (f *sqliteFolder) Export(ctx context.Context, file string) error {
	const op = "export index"
	if err := f.copyTo(ctx, op, file); err != nil {
		return classify(op, err)
	}
	err := decorate(ctx, file)
	if err != nil {
		err = errors.Join(err, os.Remove(file))
	}
	return f.outcome(op, err)
}

// decorate adds to a copy what makes it readable.
func decorate(ctx context.Context, file string) error {
	c, err := openConn(file)
	if err != nil {
		return err
	}
	end := c.until(ctx)
	err = c.run(stBegin, nil)
	if err == nil {
		err = c.end(c.writeReadable())
	}
	end()
	return errors.Join(err, c.close())
}

func (c *conn) writeReadable() error {
	if err := c.exec(exportSchema...); err != nil {
		return err
	}
	t, err := c.loadDevices()
	if err != nil {
		return err
	}
	names := []string{"this"}
	for slot := 1; slot < slotsUsed; slot++ {
		names = append(names, t.at(slot).ID.Short().String())
	}
	for slot, name := range names {
		if slot > 0 && t.at(slot).ID == (device.ID{}) {
			continue
		}
		if err := c.exec(fmt.Sprintf(`INSERT INTO slot_device VALUES(%d, '%s')`, slot, name)); err != nil {
			return err
		}
	}
	return c.query(stAll, nil, func(s *stmt) error {
		r, _, err := scanRow(s, s.text(1), s.blob(7), nil)
		if err != nil {
			return err
		}
		return c.run(stExportVersion, func(s *stmt) {
			s.bindInt(1, r.id)
			s.bindText(2, versionText(r.info.Version))
		})
	})
}

// versionText writes a vector as short device IDs with their counters.
func versionText(v vector.Vector) string {
	parts := make([]string, 0, len(v))
	for _, c := range v {
		parts = append(parts, fmt.Sprintf("%s:%d", device.ShortID(c.ID), c.Value))
	}
	return strings.Join(parts, " ")
}
