package fsys

// OpName names a method of FS or File, in errors and in hooks of Mem.
type OpName string

// The operations. A call of a method has the method's name; those of File
// begin with "file ".
const (
	OpLstat           OpName = "lstat"
	OpReadDir         OpName = "read directory"
	OpOpen            OpName = "open"
	OpCreate          OpName = "create"
	OpOpenTemp        OpName = "open temporary file"
	OpClone           OpName = "clone"
	OpRename          OpName = "rename"
	OpRenameNoReplace OpName = "rename without replacing"
	OpExchange        OpName = "exchange"
	OpLink            OpName = "link"
	OpRemove          OpName = "remove"
	OpMkdir           OpName = "make directory"
	OpChmod           OpName = "set permissions"
	OpChtimes         OpName = "set time"
	OpSymlink         OpName = "make symlink"
	OpReadlink        OpName = "read symlink"
	OpSyncFiles       OpName = "sync files"
	OpSyncDirs        OpName = "sync directories"
	OpFree            OpName = "ask for free space"
	OpCheck           OpName = "check the folder's root"

	OpRead     OpName = "file read"
	OpWrite    OpName = "file write"
	OpStat     OpName = "file stat"
	OpTruncate OpName = "file truncate"
	OpReserve  OpName = "file reserve"
	OpSetMeta  OpName = "file set metadata"
)

// reads reports whether the operation changes nothing.
func (o OpName) reads() bool {
	switch o {
	case OpLstat, OpReadDir, OpOpen, OpReadlink, OpFree, OpCheck, OpRead, OpStat:
		return true
	}
	return false
}

// Op is one call, as a hook of Mem sees it: the operation, and the paths it is
// about in the order of the method's parameters.
type Op struct {
	Name  OpName
	Paths []string
}
