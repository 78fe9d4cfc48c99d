package tray

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"

	"lanyard/build/icons"
)

// side is that of an icon in points.
const side = 48

// The colours of the signs. Each sign has a shape of its own as well.
var (
	white = color.RGBA{255, 255, 255, 255}
	dark  = color.RGBA{10, 42, 52, 255}
	amber = color.RGBA{226, 142, 0, 255}
	red   = color.RGBA{196, 43, 28, 255}
	grey  = color.RGBA{104, 114, 122, 255}
)

// Draw gives the icon of a mark: the project's own, with a sign over it.
func Draw(m Mark) *image.RGBA {
	picture, err := png.Decode(bytes.NewReader(icons.Mark))
	if err != nil {
		panic("tray: embedded mark: " + err.Error()) // a test decodes it
	}
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			out.Set(x, y, picture.At(x, y))
		}
	}
	if m == Paused || m == Away {
		fade(out)
	}
	for _, s := range signs[m] {
		s.paint(out)
	}
	return out
}

// sign is a shape of one colour.
type sign struct {
	covers func(x, y float64) bool
	in     color.RGBA
}

// signs are what is painted over the mark, the first lowest.
var signs = map[Mark][]sign{
	// A bead on a cord.
	Working: {
		{line(3, 41, 45, 41, 9), dark},
		{disc(31, 38, 10), dark},
		{line(4, 41, 44, 41, 4), white},
		{disc(31, 38, 7), white},
	},
	// A point with an exclamation mark.
	Asks: {{disc(35, 35, 13), white}, {disc(35, 35, 11), amber}, {line(35, 29, 35, 36, 3.6), dark}, {disc(35, 40.5, 2.1), dark}},
	// A bar through it.
	Paused: {{line(6, 42, 42, 6, 11), dark}, {line(6, 42, 42, 6, 5), white}},
	// An octagon with a bar, as on a road.
	Stopped: {{octagon(35, 35, 13), white}, {octagon(35, 35, 11), red}, {line(30, 35, 40, 35, 4), white}},
	// An open ring.
	Away: {{disc(35, 35, 12), white}, {disc(35, 35, 9.5), grey}, {disc(35, 35, 5), white}},
}

func disc(cx, cy, r float64) func(x, y float64) bool {
	return func(x, y float64) bool { return math.Hypot(x-cx, y-cy) <= r }
}

func octagon(cx, cy, r float64) func(x, y float64) bool {
	return func(x, y float64) bool {
		dx, dy := math.Abs(x-cx), math.Abs(y-cy)
		return max(dx, dy, (dx+dy)/math.Sqrt2) <= r
	}
}

// line has round ends.
func line(x1, y1, x2, y2, width float64) func(x, y float64) bool {
	return func(x, y float64) bool {
		dx, dy := x2-x1, y2-y1
		along := min(1, max(0, ((x-x1)*dx+(y-y1)*dy)/(dx*dx+dy*dy)))
		return math.Hypot(x-x1-along*dx, y-y1-along*dy) <= width/2
	}
}

// paint lays the sign over a picture, with smooth edges.
func (s sign) paint(on *image.RGBA) {
	const parts = 4 // each point is looked at in 16 places
	for y := range side {
		for x := range side {
			hits := 0
			for i := range parts * parts {
				if s.covers(float64(x)+(float64(i%parts)+0.5)/parts, float64(y)+(float64(i/parts)+0.5)/parts) {
					hits++
				}
			}
			if hits == 0 {
				continue
			}
			part := float64(hits) / (parts * parts)
			under := on.RGBAAt(x, y)
			mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-part) + float64(b)*part)) }
			on.SetRGBA(x, y, color.RGBA{mix(under.R, s.in.R), mix(under.G, s.in.G), mix(under.B, s.in.B), mix(under.A, s.in.A)})
		}
	}
}

// fade takes the colour out of a picture.
func fade(p *image.RGBA) {
	for y := range side {
		for x := range side {
			c := p.RGBAAt(x, y)
			g := color.GrayModel.Convert(c).(color.Gray).Y
			p.SetRGBA(x, y, color.RGBA{g, g, g, c.A})
		}
	}
}

// template gives the picture as macOS paints it in a colour of its own: what is
// dark in it is painted, and what is light is not.
func template(p *image.RGBA) *image.RGBA {
	out := image.NewRGBA(p.Bounds())
	for y := range side {
		for x := range side {
			c := p.RGBAAt(x, y) // its parts are multiplied by the alpha
			out.SetRGBA(x, y, color.RGBA{A: c.A - color.GrayModel.Convert(color.RGBA{c.R, c.G, c.B, 255}).(color.Gray).Y})
		}
	}
	return out
}

// shrink gives the picture with n points on a side: each is the mean of those
// that it stands for.
func shrink(p *image.RGBA, n int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, n, n))
	scale := float64(side) / float64(n)
	for y := range n {
		for x := range n {
			var sum [4]float64
			for v := int(float64(y) * scale); v < int(math.Ceil(float64(y+1)*scale)); v++ {
				for u := int(float64(x) * scale); u < int(math.Ceil(float64(x+1)*scale)); u++ {
					weight := overlap(u, x, scale) * overlap(v, y, scale)
					c := p.RGBAAt(u, v)
					for i, part := range []uint8{c.R, c.G, c.B, c.A} {
						sum[i] += weight * float64(part)
					}
				}
			}
			whole := scale * scale
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / whole), uint8(sum[1] / whole), uint8(sum[2] / whole), uint8(sum[3] / whole)})
		}
	}
	return out
}

// overlap tells how much of point u lies in point x of a picture that is scale
// times coarser.
func overlap(u, x int, scale float64) float64 {
	return max(0, min(float64(u+1), float64(x+1)*scale)-max(float64(u), float64(x)*scale))
}

// encodePNG gives a picture as PNG.
func encodePNG(p image.Image) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, p); err != nil {
		panic("tray: encode an icon: " + err.Error()) // memory does not refuse
	}
	return out.Bytes()
}

// encodeICO gives a picture as an icon of Windows in three sizes, as bitmaps,
// which every version of it reads.
func encodeICO(p *image.RGBA) []byte {
	sizes := []int{16, 32, side}
	var head, body bytes.Buffer
	put := func(b *bytes.Buffer, values ...any) {
		for _, v := range values {
			_ = binary.Write(b, binary.LittleEndian, v) // memory does not refuse
		}
	}
	put(&head, uint16(0), uint16(1), uint16(len(sizes)))
	for _, n := range sizes {
		small := shrink(p, n)
		mask := (n + 31) / 32 * 4 * n // one bit for each point; the alpha says all
		length := 40 + 4*n*n + mask
		put(&head, uint8(n), uint8(n), uint8(0), uint8(0), uint16(1), uint16(32), uint32(length), uint32(6+16*len(sizes)+body.Len()))
		put(&body, uint32(40), int32(n), int32(2*n), uint16(1), uint16(32), uint32(0), uint32(4*n*n+mask), [4]uint32{})
		for y := n - 1; y >= 0; y-- { // the lowest line first
			for x := range n {
				c := color.NRGBAModel.Convert(small.RGBAAt(x, y)).(color.NRGBA)
				put(&body, [4]uint8{c.B, c.G, c.R, c.A})
			}
		}
		body.Write(make([]byte, mask))
	}
	return append(head.Bytes(), body.Bytes()...)
}
