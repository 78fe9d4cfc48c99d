package desktop

import (
	"encoding/json"
	"os"

	"lanyard/app/config"
)

// The size of the window in logical pixels: at the first start, and the least
// at which every page holds.
const (
	firstWidth, firstHeight = 1080, 720
	leastWidth, leastHeight = 720, 520
	// mostSide keeps a file that was damaged from making a window that the
	// system refuses.
	mostSide = 16_384
)

// size is how large the window was when it was last closed. Where it stood is
// not kept: some systems tell no program.
type size struct {
	Width     int  `json:"width"`
	Height    int  `json:"height"`
	Maximised bool `json:"maximised"`
	// Told: the person knows that syncing goes on when the window is closed.
	Told bool `json:"told,omitempty"`
}

// readSize gives the size in a file, and the first size where it holds none
// that can be used.
func readSize(file string) size {
	first := size{Width: firstWidth, Height: firstHeight}
	data, err := os.ReadFile(file)
	if err != nil {
		return first
	}
	kept := first
	if json.Unmarshal(data, &kept) != nil {
		return first
	}
	kept.Width = min(max(kept.Width, leastWidth), mostSide)
	kept.Height = min(max(kept.Height, leastHeight), mostSide)
	return kept
}

// write keeps a size. A window that is maximised keeps the size that it had
// before, and what was told once stays so.
func (s size) write(file string) error {
	before := readSize(file)
	if s.Maximised {
		s.Width, s.Height = before.Width, before.Height
	}
	s.Told = s.Told || before.Told
	return config.Remember(file, s)
}
