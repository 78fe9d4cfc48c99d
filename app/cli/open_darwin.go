package cli

import (
	"context"
	"os/exec"
)

// openFile opens a file with the program that the person chose for its kind.
func openFile(ctx context.Context, name string) error {
	return exec.CommandContext(ctx, "open", name).Run()
}
