package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"lanyard/app/service"
)

// pageLicences is the file among the built pages with those of what is in them.
const pageLicences = "licences.txt"

func (a *app) licencesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "licences", Short: "Print the licences of everything that is compiled into this program", Args: takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			text := service.Licences
			if a.Pages != nil {
				pages, err := fs.ReadFile(a.Pages, pageLicences)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("read the licences of the pages: %w", err)
				}
				text += "\n" + string(pages)
			}
			_, err := io.WriteString(a.Out, "Lanyard is licensed under the Apache License 2.0. It holds work of others, under these terms:\n\n"+text)
			return err
		},
	}
}
