package tray

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// greys gives how bright each point of a picture is on a bar of that brightness.
func greys(p *image.RGBA, bar uint8) []int {
	var out []int
	b := p.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := p.RGBAAt(x, y)
			out = append(out, int(color.GrayModel.Convert(c).(color.Gray).Y)+int(bar)*(255-int(c.A))/255)
		}
	}
	return out
}

// The state is not told by colour alone: without it, and as small as trays draw
// them, the icons differ on a light and on a dark bar.
func TestIconsDifferInShape(t *testing.T) {
	for _, size := range []int{side, 22, 16} {
		for _, bar := range []uint8{20, 240} {
			for i, a := range Marks() {
				for _, b := range Marks()[i+1:] {
					one, other := greys(shrink(Draw(a), size), bar), greys(shrink(Draw(b), size), bar)
					differ := 0
					for p := range one {
						if d := one[p] - other[p]; d > 40 || d < -40 {
							differ++
						}
					}
					if least := size * size / 25; differ < least {
						t.Errorf("%s and %s with %d points differ in %d of them on a bar of %d, want %d", a, b, size, differ, bar, least)
					}
				}
			}
		}
	}
}

// Nor is it where the system paints the icon in one colour.
func TestTemplatesDifferInShape(t *testing.T) {
	const size = 18 // points of the bar of macOS
	for i, a := range Marks() {
		for _, b := range Marks()[i+1:] {
			one, other := shrink(template(Draw(a)), size), shrink(template(Draw(b)), size)
			differ := 0
			for p := 3; p < len(one.Pix); p += 4 { // the alpha alone counts
				if d := int(one.Pix[p]) - int(other.Pix[p]); d > 40 || d < -40 {
					differ++
				}
			}
			if least := size * size / 25; differ < least {
				t.Errorf("%s and %s differ in %d points of %d, want %d", a, b, differ, size*size, least)
			}
		}
	}
}

func TestAnIconIsAPNGOfItsSize(t *testing.T) {
	for _, m := range Marks() {
		p, err := png.Decode(bytes.NewReader(encodePNG(Draw(m))))
		if err != nil || p.Bounds().Dx() != side {
			t.Errorf("%s: %v, %v", m, p, err)
		}
	}
}

func TestAnIconOfWindowsHoldsItsSizesWhole(t *testing.T) {
	ico := encodeICO(Draw(Asks))
	if n := binary.LittleEndian.Uint16(ico[4:]); n != 3 {
		t.Fatalf("it holds %d pictures", n)
	}
	end := 6 + 3*16
	for i, size := range []int{16, 32, side} {
		entry := ico[6+16*i:]
		length, at := int(binary.LittleEndian.Uint32(entry[8:])), int(binary.LittleEndian.Uint32(entry[12:]))
		if int(entry[0]) != size || at != end {
			t.Errorf("picture %d has %d points and lies at %d, want %d and %d", i, entry[0], at, size, end)
		}
		end += length
		if height := int32(binary.LittleEndian.Uint32(ico[at+8:])); height != int32(2*size) {
			t.Errorf("picture %d is %d high with its mask, want %d", i, height, 2*size)
		}
		// The middle of the sign is dark on amber, and wholly opaque.
		y := size - 1 - size*33/48
		b := ico[at+40+4*(y*size+size*30/48):]
		if b[3] != 255 || b[2] < 150 || b[0] > 90 {
			t.Errorf("picture %d has %v in its sign", i, b[:4])
		}
	}
	if end != len(ico) {
		t.Errorf("it ends at %d of %d bytes", end, len(ico))
	}
}
