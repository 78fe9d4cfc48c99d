// Package qr draws text as QR codes and finds them in pictures.
//
// A code is always drawn dark on white with a quiet zone of four squares, as
// readers expect, whatever the colours around it are, and with error correction
// level M (15 percent).
package qr

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

// quiet is how many white squares are around a code.
const quiet = 4

// Code is a QR code. It is immutable.
type Code struct {
	size int // with the quiet zone
	dark func(x, y int) bool
}

// Draw gives the code of a text, which may have some 2,300 bytes.
func Draw(text string) (Code, error) {
	code, err := encoder.Encoder_encode(text, decoder.ErrorCorrectionLevel_M, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_CHARACTER_SET: "UTF-8",
	})
	if err != nil {
		return Code{}, fmt.Errorf("make QR code: %w", err)
	}
	m := code.GetMatrix()
	return Code{
		size: m.GetWidth() + 2*quiet,
		dark: func(x, y int) bool {
			x, y = x-quiet, y-quiet
			return x >= 0 && y >= 0 && x < m.GetWidth() && y < m.GetHeight() && m.Get(x, y) == 1
		},
	}, nil
}

// Size gives how many squares a side has, with the quiet zone.
func (c Code) Size() int { return c.size }

// Black on white whatever the terminal's own colours are.
const (
	blackOnWhite = "\x1b[30;107m"
	resetColours = "\x1b[0m"
)

// Terminal draws the code with characters, two rows of squares to a line.
func (c Code) Terminal() string {
	var b strings.Builder
	for y := 0; y < c.size; y += 2 {
		b.WriteString(blackOnWhite)
		for x := range c.size {
			b.WriteString(halves(c.dark(x, y), c.dark(x, y+1)))
		}
		b.WriteString(resetColours + "\n")
	}
	return b.String()
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

// Image gives the code as a picture with scale dots to a side of a square.
func (c Code) Image(scale int) image.Image {
	side := c.size * scale
	img := image.NewGray(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		if !c.dark(i%img.Stride/scale, i/img.Stride/scale) {
			img.Pix[i] = 0xff
		}
	}
	return img
}

// pngScale makes a picture that a phone reads from a screen.
const pngScale = 8

// WritePNG writes the code as a picture.
func (c Code) WritePNG(w io.Writer) error { return png.Encode(w, c.Image(pngScale)) }
