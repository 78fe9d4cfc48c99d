package watch

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Room gives how many more directories the system lets this user watch: the
// limit, less what the user's programs have now. ok is false where the system
// has no such limit, or does not tell it.
func Room() (free int, ok bool) { return room("/proc") }

// room is Room with the place where the system tells such things.
func room(proc string) (free int, ok bool) {
	text, err := os.ReadFile(filepath.Join(proc, "sys/fs/inotify/max_user_watches"))
	if err != nil {
		return 0, false
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, false
	}
	processes, err := os.ReadDir(proc)
	if err != nil {
		return 0, false
	}
	for _, p := range processes {
		if info, err := p.Info(); err == nil && p.IsDir() && ours(info) {
			limit -= watches(filepath.Join(proc, p.Name(), "fdinfo"))
		}
	}
	return max(0, limit), true
}

// ours reports whether a process is this user's.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// watches counts those of a process; none where it is not a process, or has just
// ended.
func watches(fdinfo string) (n int) {
	files, err := os.ReadDir(fdinfo)
	if err != nil {
		return 0
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(fdinfo, f.Name()))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if bytes.HasPrefix(lines.Bytes(), []byte("inotify wd:")) {
				n++
			}
		}
	}
	return n
}
