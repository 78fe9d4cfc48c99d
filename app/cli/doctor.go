package cli

import (
	"github.com/spf13/cobra"

	"lanyard/app/service"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look at what keeps devices from finding each other, and say what to do", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				got, err := s.Doctor(c.Context())
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(got)
				}
				return a.printCheckup(got)
			})
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// printCheckup says what is well, and what is wrong with what to do about it, in
// the language of the person.
func (a *app) printCheckup(got service.Checkup) error {
	words := a.words()
	for _, c := range got.Checks {
		if len(c.Findings) == 0 {
			if err := a.say("ok  %s", oneLine(words.Well[c.Check])); err != nil {
				return err
			}
		}
		for _, f := range c.Findings {
			p := f.Problem
			words.Word(&p)
			mark := "!   "
			if f.On != "" {
				mark += f.On + ": "
			}
			for _, line := range problemLines(mark, &p) {
				if err := a.say("%s", oneLine(line)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
