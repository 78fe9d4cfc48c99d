package cli

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lanyard/app/service"
	"lanyard/app/text"
	"lanyard/app/web"
	"lanyard/sync/status"
)

func (a *app) folderHeld() *cobra.Command {
	var apply, restore, asJSON, all bool
	c := &cobra.Command{
		Use: "held ID", Short: "Show the deletions that the brake holds, or decide on them", Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			var d service.HeldDecision
			switch {
			case apply && restore:
				return wrongUsage(c, errors.New("--apply and --restore exclude each other"))
			case apply:
				d.Do = string(status.ApplyHeld)
			case restore:
				d.Do = string(status.RestoreHeld)
			}
			return a.withEngine(c.Context(), func(s *web.Client) error {
				var held []status.Held
				var err error
				if d.Do == "" {
					if held, err = s.Held(c.Context(), args[0]); err == nil && all {
						err = nameAll(c.Context(), s, args[0], held)
					}
				} else {
					held, err = s.DecideHeld(c.Context(), args[0], d)
				}
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(held)
				}
				return a.printHeld(args[0], d.Do, held)
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&apply, "apply", false, "delete: here what others deleted, and there what is gone here")
	f.BoolVar(&restore, "restore", false, "bring the files back: to whoever deleted them, or here")
	f.BoolVar(&all, "all", false, "name all files, not the first ones alone")
	jsonFlag(c, &asJSON)
	return c
}

// nameAll has what is held name all of its files.
func nameAll(ctx context.Context, s *web.Client, folder string, held []status.Held) error {
	for i := range held {
		rows, err := everyRow(func(w status.Window) ([]status.HeldFile, int, error) {
			part, err := s.HeldFiles(ctx, folder, held[i].Direction, w)
			return part.Files, part.Total, err
		})
		if err != nil {
			return err
		}
		held[i].Names = []string{}
		for _, row := range rows {
			held[i].Names = append(held[i].Names, row.Path)
		}
	}
	return nil
}

// printHeld says what is held, or what was decided on.
func (a *app) printHeld(folder, decision string, held []status.Held) error {
	var lines []string
	words := a.words()
	add := func(indent string, t text.HeldText, pairs map[string]string) {
		s, ok := words.SayHeld(t, pairs)
		if !ok {
			panic("cli: no sentence for " + string(t)) // a test says each
		}
		lines = append(lines, indent+oneLine(s))
	}
	if len(held) == 0 {
		add("", text.HeldNone, map[string]string{"folder": folder})
	}
	for _, h := range held {
		add("", heldText(h, decision), heldValues(h))
		if decision != "" {
			continue
		}
		for _, name := range h.Names {
			lines = append(lines, "  "+oneLine(name))
		}
		if more := h.Files - int64(len(h.Names)); more > 0 {
			add("  ", text.HeldMore, map[string]string{"n": strconv.FormatInt(more, 10)})
		}
	}
	if decision == "" && len(held) > 0 {
		add("", text.HeldDecide, nil)
	}
	return a.say("%s", strings.Join(lines, "\n"))
}

// heldText picks the sentence for what is held in one direction.
func heldText(h status.Held, decision string) text.HeldText {
	if decision == "" {
		return text.HeldText(h.Direction)
	}
	return text.HeldText(string(h.Direction) + "-" + decision)
}

// heldValues gives what the sentences tell.
func heldValues(h status.Held) map[string]string {
	values := map[string]string{
		"n": strconv.FormatInt(h.Files, 10), "total": strconv.FormatInt(h.Total, 10), "size": strconv.FormatInt(h.Bytes, 10),
	}
	if len(h.Devices) > 0 {
		values["devices"] = strings.Join(h.Devices, "\n")
	}
	return values
}
