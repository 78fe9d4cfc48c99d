package cli

import (
	"io"

	"github.com/spf13/cobra"

	"lanyard/app/pairing/qr"
)

func (a *app) idCommand() *cobra.Command {
	var asQR bool
	c := &cobra.Command{
		Use: "id", Short: "Print this device's ID, making the identity if there is none", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				identity, err := s.Identity(c.Context())
				if err == nil && asQR {
					err = a.drawQR(identity.ID)
				}
				if err != nil {
					return err
				}
				return a.say("%s", identity.ID)
			})
		},
	}
	c.Flags().BoolVar(&asQR, "qr", false, "also as a QR code that a phone with Syncthing can scan")
	return c
}

// drawQR draws text as a QR code.
func (a *app) drawQR(text string) error {
	code, err := qr.Draw(text)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, code.Terminal())
	return err
}
