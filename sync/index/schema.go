package index

import "time"

// A folder's database has one row in rec for each distinct version of a name
// that any device announces; the bits of devs say which devices those are
// (bit 0: this one), so that a version which all have is one row.
//
// SQLite notices damage to its own structure, not to what is stored in it. So
// a row whose bytes would be believed carries a checksum: ck is the CRC-32C of
// its other columns (see checks.go), and a body has its own. What is left out,
// size, mtime and bh, stands in the body as well: the first two are compared
// with it whenever a row is read, the third by a full check, since it takes the
// hashes of the blocks. The sums in cnt are compared with the rows by a check.
const (
	applicationID = 0x4C6E7964
	schemaVersion = 2
)

var folderSchema = []string{
	`CREATE TABLE meta(k TEXT PRIMARY KEY, v, ck INTEGER NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE device(
		slot INTEGER PRIMARY KEY CHECK(slot BETWEEN 1 AND 62),
		device_id BLOB NOT NULL UNIQUE,
		index_id INTEGER NOT NULL, max_seq INTEGER NOT NULL, ck INTEGER NOT NULL)`,
	`CREATE TABLE rec(
		id INTEGER PRIMARY KEY,
		name TEXT NOT NULL,
		vh INTEGER NOT NULL,    -- 63 bits of the hash of the identity
		devs INTEGER NOT NULL,  -- bit s: the device in slot s announces this
		flags INTEGER NOT NULL,
		size INTEGER NOT NULL, mtime INTEGER NOT NULL,
		lseq INTEGER,           -- our sequence, exactly where bit 0 is set
		bh INTEGER,             -- 63 bits of the list hash, files with content
		lh INTEGER,             -- the row of blist with the blocks, if not in body
		ck INTEGER NOT NULL,
		body BLOB NOT NULL)`,
	`CREATE UNIQUE INDEX rec_name ON rec(name, vh)`,
	`CREATE UNIQUE INDEX rec_seq ON rec(lseq) WHERE lseq IS NOT NULL`,
	`CREATE INDEX rec_need ON rec(name) WHERE flags & 2`,
	`CREATE INDEX rec_list ON rec(lh) WHERE lh IS NOT NULL`,
	`CREATE TABLE blist(id INTEGER PRIMARY KEY, data BLOB NOT NULL)`,
	`CREATE TABLE cnt(slot INTEGER, kind INTEGER, n INTEGER NOT NULL, bytes INTEGER NOT NULL,
		PRIMARY KEY(slot, kind)) WITHOUT ROWID`,
}

// contentIndex finds our files by content. It holds our own rows alone. Its
// keys are random, so it is made in one piece when first wanted: kept from
// the first record on, it would nearly double the time of a first scan.
const contentIndex = `CREATE INDEX IF NOT EXISTS rec_bh ON rec(bh) WHERE bh IS NOT NULL AND lseq IS NOT NULL`

var mainSchema = []string{
	`CREATE TABLE folder(id TEXT PRIMARY KEY, file TEXT NOT NULL UNIQUE,
		mark TEXT NOT NULL)  -- that of the file, '' before there was one
		WITHOUT ROWID`,
}

// Bits of rec.flags. The first two are the index's, the last five are Flags,
// which mean something only on a row with bit 0 of devs.
const (
	rowGlobal = 1 << iota
	rowNeed
	rowDir
	rowDeleted
	rowLink
	rowInvalid
	rowIgnored
	rowMustRescan
	rowReceiveOnly
	rowUnsupported
	rowReturned

	rowLocal      = rowIgnored | rowMustRescan | rowReceiveOnly | rowUnsupported | rowReturned
	rowLocalShift = 6
)

// Names in meta; those of SetMeta stand behind metaUser.
const (
	metaFolder   = "folder" // the ID of the folder
	metaIndexID  = "local_index_id"
	metaSeq      = "seq"
	metaClean    = "clean"
	metaMark     = "mark" // see marks.go
	metaMarkOld  = "mark_before"
	metaBarrier  = "barrier"
	metaRecovery = "recovery"
	metaChecked  = "last_check"    // unix seconds
	metaSnapshot = "last_snapshot" // unix seconds
	metaUser     = "user:"
)

// Settings of connections.
const (
	busyTimeout    = 10 * time.Second
	checkpointPage = 4000     // pages in the journal before it is folded in
	journalLimit   = 64 << 20 // bytes of journal kept on disk
	idleCache      = 512      // KiB of page cache at rest
	readerCache    = 2048     // KiB of page cache of the reader
	sharedBatch    = 1000     // entries in a transaction
	exclusiveBatch = 250      // the same where readers wait for the writer
	listSlice      = 5000     // block lists looked at in one piece of clearing
)

type stmtID int

const (
	stBegin stmtID = iota
	stBeginRead
	stCommit
	stRollback
	stMetaGet
	stMetaSet
	stMetaDelete
	stMetaAll
	stDevices
	stDeviceSet
	stDeviceDelete
	stCounts
	stCountSet
	stByName
	stInsert
	stSetDevs
	stSetFlags
	stSetSeq
	stSetBody
	stSetRow
	stDelete
	stListHead
	stListGet
	stListInsert
	stListStale
	stListDelete
	stLists
	stNamesOf
	stNeeded
	stSince
	stRange
	stNames
	stNeededNames
	stByContent
	stBySize
	stCopies
	stRemoteNeeded
	stRemoteDeleted
	stAll
	stContents
	stLastRow
	stAnnounced
	stHasIndex
	stLastSeq
	stSalvage
	stSalvageNames
	stSalvageBack
	stExportVersion
	stFolderGet
	stFolderFiles
	stFolderSet
	stFolderDelete
	stmtCount
)

// rowColumns are what scanRow reads.
const rowColumns = `id, name, vh, devs, flags, lseq, lh, body, ck, size, mtime`

// A limit is written "+?": SQLite plans a statement with a bare parameter there
// for the one value that is bound, and compiles it anew at every use.
var statements = [stmtCount]string{
	stBegin:        `BEGIN IMMEDIATE`,
	stBeginRead:    `BEGIN`,
	stCommit:       `COMMIT`,
	stRollback:     `ROLLBACK`,
	stMetaGet:      `SELECT v, ck FROM meta WHERE k = ?`,
	stMetaSet:      `INSERT INTO meta(k, v, ck) VALUES(?, ?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v, ck = excluded.ck`,
	stMetaAll:      `SELECT k, v, ck FROM meta`,
	stMetaDelete:   `DELETE FROM meta WHERE k = ?`,
	stDevices:      `SELECT slot, device_id, index_id, max_seq, ck FROM device`,
	stDeviceSet:    `INSERT OR REPLACE INTO device(slot, device_id, index_id, max_seq, ck) VALUES(?, ?, ?, ?, ?)`,
	stDeviceDelete: `DELETE FROM device WHERE slot = ?`,
	stCounts:       `SELECT slot, kind, n, bytes FROM cnt`,
	stCountSet:     `INSERT INTO cnt(slot, kind, n, bytes) VALUES(?, ?, ?, ?) ON CONFLICT(slot, kind) DO UPDATE SET n = excluded.n, bytes = excluded.bytes`,
	stByName:       `SELECT ` + rowColumns + ` FROM rec INDEXED BY rec_name WHERE name = ?`,
	stInsert:       `INSERT INTO rec(name, vh, devs, flags, size, mtime, lseq, bh, lh, body, ck) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	stSetDevs:      `UPDATE rec SET devs = ?, ck = ? WHERE id = ?`,
	stSetFlags:     `UPDATE rec SET devs = ?, flags = ?, ck = ? WHERE id = ?`,
	stSetSeq:       `UPDATE rec SET devs = ?, flags = ?, lseq = ?, ck = ? WHERE id = ?`,
	stSetBody:      `UPDATE rec SET devs = ?, flags = ?, body = ?, ck = ? WHERE id = ?`,
	stSetRow:       `UPDATE rec SET devs = ?, flags = ?, lseq = ?, body = ?, ck = ? WHERE id = ?`,
	stDelete:       `DELETE FROM rec WHERE id = ?`,
	stListHead:     `SELECT substr(data, 1, 32) FROM blist WHERE id = ?`,
	stListGet:      `SELECT data FROM blist WHERE id = ?`,
	stListInsert:   `INSERT INTO blist(id, data) VALUES(?, ?)`,
	stListStale: `SELECT id, EXISTS(SELECT 1 FROM rec INDEXED BY rec_list WHERE lh = blist.id)
		FROM blist WHERE id > ? ORDER BY id LIMIT +?`,
	stListDelete: `DELETE FROM blist WHERE id = ?`,
	stLists:      `SELECT id, data FROM blist`,
	stNamesOf: `SELECT DISTINCT name FROM rec INDEXED BY rec_name
		WHERE name > ? AND devs & ? ORDER BY name LIMIT +?`,
	stNeeded: `SELECT r.id, r.name, r.vh, r.devs, r.flags, r.lseq, r.lh, r.body, r.ck, r.size, r.mtime
		FROM (SELECT name FROM rec INDEXED BY rec_need WHERE flags & 2 AND name > ? ORDER BY name LIMIT +?) n
		CROSS JOIN rec r INDEXED BY rec_name ON r.name = n.name ORDER BY n.name`,
	stSince: `SELECT ` + rowColumns + ` FROM rec INDEXED BY rec_seq
		WHERE lseq > ? AND lseq IS NOT NULL ORDER BY lseq LIMIT +?`,
	stRange: `SELECT ` + rowColumns + ` FROM rec INDEXED BY rec_name
		WHERE name > ? AND name < ? AND lseq IS NOT NULL ORDER BY name LIMIT +?`,
	// 8: deleted. A name stands there twice where ours is another version.
	stNames: `SELECT name FROM rec INDEXED BY rec_name
		WHERE name > ? AND name < ? AND flags & 8 = 0 AND (lseq IS NOT NULL OR flags & 2) ORDER BY name LIMIT +?`,
	stNeededNames: `SELECT name FROM rec INDEXED BY rec_need WHERE flags & 2 AND name > ? ORDER BY name LIMIT +?`,
	stByContent: `SELECT ` + rowColumns + ` FROM rec INDEXED BY rec_bh
		WHERE bh = ? AND lseq IS NOT NULL AND id > ? AND size = ? AND flags & 40 = 0 ORDER BY id LIMIT +?`,
	stBySize: `SELECT ` + rowColumns + ` FROM rec WHERE size = ? AND lseq IS NOT NULL AND flags & 40 = 0 LIMIT +?`,
	// 584: deleted, ignored or not supported here.
	stCopies: `SELECT name FROM rec INDEXED BY rec_name
		WHERE instr(name, '.sync-conflict-') AND lseq IS NOT NULL AND flags & 584 = 0 ORDER BY name`,
	stRemoteNeeded: `SELECT name FROM rec INDEXED BY rec_name
		WHERE name > ?1 AND flags & 1 AND flags & 32 = 0 AND devs & ?2 = 0
		AND (flags & 8 = 0 OR EXISTS(SELECT 1 FROM rec r WHERE r.name = rec.name AND r.devs & ?2 AND r.flags & 40 = 0))
		ORDER BY name LIMIT +?3`,
	stRemoteDeleted: `SELECT name FROM rec INDEXED BY rec_name
		WHERE name > ? AND devs & ? AND flags & 8 AND lseq IS NULL ORDER BY name LIMIT +?`,
	stAll:       `SELECT ` + rowColumns + ` FROM rec INDEXED BY rec_name ORDER BY name`,
	stContents:  `SELECT ` + rowColumns + `, bh FROM rec`,
	stLastRow:   `SELECT max(id) FROM rec`,
	stAnnounced: `SELECT count(*) FROM rec WHERE devs & ? <> 0`,
	stHasIndex:  `SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = 'rec_bh'`,
	stLastSeq:   `SELECT max(lseq) FROM rec INDEXED BY rec_seq WHERE lseq IS NOT NULL`,
	stSalvage: `SELECT ` + rowColumns + ` FROM rec NOT INDEXED
		WHERE id > ? AND id <= ? ORDER BY id LIMIT +?`,
	stSalvageNames:  `SELECT id, name FROM rec INDEXED BY rec_name WHERE name > ? ORDER BY name LIMIT +?`,
	stSalvageBack:   `SELECT id, name FROM rec INDEXED BY rec_name WHERE name < ? ORDER BY name DESC LIMIT +?`,
	stExportVersion: `INSERT INTO rec_version(id, version) VALUES(?, ?)`,
	stFolderGet:     `SELECT file, mark FROM folder WHERE id = ?`,
	stFolderFiles:   `SELECT file FROM folder`,
	stFolderSet: `INSERT INTO folder(id, file, mark) VALUES(?, ?, ?)
		ON CONFLICT(id) DO UPDATE SET file = excluded.file, mark = excluded.mark`,
	stFolderDelete: `DELETE FROM folder WHERE id = ?`,
}
