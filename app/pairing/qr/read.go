package qr

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // pictures come in these forms
	_ "image/jpeg"
	"io"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"lanyard/sync/fault"
)

// Limits of pictures, which anybody can make: a photo of 50 megapixels is the
// largest that a phone takes.
const (
	maxBytes  = 64 << 20
	maxPixels = 64 << 20
)

// errNoCode is what a picture gets that has none.
func errNoCode(why string) error {
	return fault.New(fault.Item, "picture-without-code", "there is no code in this picture: %s", why)
}

// Read gives the text of the code in a picture: PNG, JPEG or GIF, a photo or a
// screenshot.
func Read(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxBytes {
		return "", errNoCode("it is larger than 64 MiB")
	}
	// Its size first: a small file can stand for a picture that takes all memory.
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return "", errNoCode("it is no PNG, JPEG or GIF")
	}
	if head.Width <= 0 || head.Height <= 0 || head.Width > maxPixels/head.Height {
		return "", errNoCode("it has more than 64 megapixels")
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return "", errNoCode("it is damaged")
	}
	return Find(img)
}

// sides are the lengths, in dots, that the longer side of a picture is reduced
// to: one that is blurred or large is often read better small.
var sides = []int{0, 1200, 600}

// Find gives the text of the code in a picture. Light on dark is found as well.
func Find(img image.Image) (string, error) {
	whole := shades(img)
	for _, side := range sides {
		g := whole
		if side > 0 {
			if max(g.w, g.h) <= side {
				continue
			}
			g = g.reduced(side)
		}
		for _, source := range []gozxing.LuminanceSource{g, gozxing.NewInvertedLuminanceSource(g)} {
			for _, binarize := range []func(gozxing.LuminanceSource) gozxing.Binarizer{
				gozxing.NewHybridBinarizer, gozxing.NewGlobalHistgramBinarizer,
			} {
				if text, err := decode(binarize(source)); err == nil {
					return text, nil
				}
			}
		}
	}
	return "", errNoCode("is it sharp and whole?")
}

// decode looks for one code. A picture that makes the library stumble is one
// without a code.
func decode(b gozxing.Binarizer) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the picture cannot be read: %v", r)
		}
	}()
	bitmap, err := gozxing.NewBinaryBitmap(b)
	if err != nil {
		return "", err
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_TRY_HARDER: true,
	})
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// gray is a picture in shades, the library's LuminanceSource.
type gray struct {
	gozxing.LuminanceSourceBase
	w, h int
	dots []byte
}

func newGray(w, h int, dots []byte) *gray {
	return &gray{LuminanceSourceBase: gozxing.LuminanceSourceBase{Width: w, Height: h}, w: w, h: h, dots: dots}
}

// shades takes the colours out of a picture; what is transparent is white.
func shades(img image.Image) *gray {
	b := img.Bounds()
	dots := make([]byte, b.Dx()*b.Dy())
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			red, green, blue, alpha := img.At(x, y).RGBA()
			// Rec. 601, of 16 bits each; colours come multiplied by alpha.
			dots[i] = byte((299*red + 587*green + 114*blue + 1000*(0xffff-alpha)) / 1000 >> 8)
			i++
		}
	}
	return newGray(b.Dx(), b.Dy(), dots)
}

// reduced gives the picture smaller, each dot the mean of those that it stands
// for.
func (g *gray) reduced(side int) *gray {
	w, h := max(1, g.w*side/max(g.w, g.h)), max(1, g.h*side/max(g.w, g.h))
	dots := make([]byte, w*h)
	for y := range h {
		top, bottom := y*g.h/h, max((y+1)*g.h/h, y*g.h/h+1)
		for x := range w {
			left, right := x*g.w/w, max((x+1)*g.w/w, x*g.w/w+1)
			sum := 0
			for yy := top; yy < bottom; yy++ {
				for _, v := range g.dots[yy*g.w+left : yy*g.w+right] {
					sum += int(v)
				}
			}
			dots[y*w+x] = byte(sum / ((bottom - top) * (right - left)))
		}
	}
	return newGray(w, h, dots)
}

// GetRow gives one row.
func (g *gray) GetRow(y int, row []byte) ([]byte, error) {
	if y < 0 || y >= g.h {
		return nil, fmt.Errorf("row %d of %d", y, g.h)
	}
	return append(row[:0], g.dots[y*g.w:(y+1)*g.w]...), nil
}

// GetMatrix gives all of it.
func (g *gray) GetMatrix() []byte { return g.dots }

// Invert gives it light on dark.
func (g *gray) Invert() gozxing.LuminanceSource { return gozxing.NewInvertedLuminanceSource(g) }

// String names it.
func (g *gray) String() string { return fmt.Sprintf("%d×%d", g.w, g.h) }
