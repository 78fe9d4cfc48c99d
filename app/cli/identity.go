package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/skip2/go-qrcode"
	"github.com/spf13/cobra"
)

func (a *app) idCommand() *cobra.Command {
	var asQR bool
	c := &cobra.Command{
		Use: "id", Short: "Print this device's ID, making the identity if there is none", Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSettings(c.Context(), func(s settings) error {
				identity, err := s.Identity(c.Context())
				if err == nil && asQR {
					err = printQR(a.Out, identity.ID)
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

// Black on white whatever the terminal's own colours are, as scanners expect.
const (
	blackOnWhite = "\x1b[30;107m"
	resetColours = "\x1b[0m"
)

// printQR draws text as a QR code, two rows of squares to a line, with the
// quiet zone of four squares that the standard asks for.
func printQR(w io.Writer, text string) error {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("make QR code: %w", err)
	}
	squares := code.Bitmap() // with the quiet zone
	var b strings.Builder
	for y := 0; y < len(squares); y += 2 {
		b.WriteString(blackOnWhite)
		for x := range squares[y] {
			lower := y+1 < len(squares) && squares[y+1][x]
			b.WriteString(halves(squares[y][x], lower))
		}
		b.WriteString(resetColours + "\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// halves gives the character that is dark in its upper half, lower half, both
// or none.
func halves(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	default:
		return " "
	}
}
