package desktop

import (
	"os"

	"lanyard/app/config"
)

// mustBeThere refuses a path at which nothing is.
func mustBeThere(path string) error {
	if _, err := os.Lstat(path); err != nil {
		return &config.Refusal{Reason: config.NotFound, Item: path, Text: quoted(path) + " is not there"}
	}
	return nil
}
