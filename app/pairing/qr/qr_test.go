package qr

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lanyard/app/pairing"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// invitation makes the i-th of many that differ in all that they hold.
func invitation(i int) pairing.Invitation {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	inv := pairing.Invitation{
		ID: device.ID(sha256.Sum256(sum[:])), Secret: pairing.Secret(sum[:16]), Expires: time.Unix(1_800_000_000+int64(i), 0),
	}
	for n := range i % 4 {
		h := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, sum[20+n], 7}), uint16(1024+i))
		if sum[24+n]%2 == 0 {
			h = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 1, 2, 14: sum[20+n], 15: 9}), 22000)
		}
		inv.Hints = append(inv.Hints, h)
	}
	return inv
}

// draw draws a text, scale dots to a square.
func draw(t testing.TB, text string, scale int) *image.Gray {
	t.Helper()
	code, err := Draw(text)
	must(t, err)
	return code.Image(scale).(*image.Gray)
}

// through gives a picture whose dots are where from says they come from, white
// outside.
func through(src *image.Gray, w, h int, from func(x, y float64) (float64, float64)) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, w, h))
	sw, sh := src.Rect.Dx(), src.Rect.Dy()
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= sw || y >= sh {
			return 255
		}
		return float64(src.Pix[y*src.Stride+x])
	}
	for y := range h {
		for x := range w {
			fx, fy := from(float64(x), float64(y))
			x0, y0 := math.Floor(fx), math.Floor(fy)
			dx, dy := fx-x0, fy-y0
			ix, iy := int(x0), int(y0)
			v := at(ix, iy)*(1-dx)*(1-dy) + at(ix+1, iy)*dx*(1-dy) + at(ix, iy+1)*(1-dx)*dy + at(ix+1, iy+1)*dx*dy
			out.Pix[y*out.Stride+x] = uint8(v)
		}
	}
	return out
}

func rotated(src *image.Gray, degrees float64) *image.Gray {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	w := src.Rect.Dx()
	side := int(float64(w) * (math.Abs(sin) + math.Abs(cos)))
	c, m := float64(w)/2, float64(side)/2
	return through(src, side, side, func(x, y float64) (float64, float64) {
		return cos*(x-m) + sin*(y-m) + c, -sin*(x-m) + cos*(y-m) + c
	})
}

func scaled(src *image.Gray, by float64) *image.Gray {
	side := int(float64(src.Rect.Dx()) * by)
	return through(src, side, side, func(x, y float64) (float64, float64) { return x / by, y / by })
}

// blurred gives each dot the mean of those around it.
func blurred(src *image.Gray, radius int) *image.Gray {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	out := image.NewGray(src.Rect)
	for y := range h {
		for x := range w {
			sum, n := 0, 0
			for yy := max(0, y-radius); yy <= min(h-1, y+radius); yy++ {
				for xx := max(0, x-radius); xx <= min(w-1, x+radius); xx++ {
					sum += int(src.Pix[yy*src.Stride+xx])
					n++
				}
			}
			out.Pix[y*out.Stride+x] = uint8(sum / n)
		}
	}
	return out
}

func inverted(src *image.Gray) *image.Gray {
	out := image.NewGray(src.Rect)
	for i, v := range src.Pix {
		out.Pix[i] = 255 - v
	}
	return out
}

// recompressed is what a messenger makes of a picture.
func recompressed(t testing.TB, src *image.Gray, quality int) image.Image {
	t.Helper()
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, src, &jpeg.Options{Quality: quality}))
	img, err := jpeg.Decode(&b)
	must(t, err)
	return img
}

// onScreen puts a picture somewhere on a dark screen.
func onScreen(src *image.Gray, x, y, w, h int) *image.Gray {
	return through(src, w, h, func(sx, sy float64) (float64, float64) {
		if sx < float64(x) || sy < float64(y) || sx >= float64(x+src.Rect.Dx()) || sy >= float64(y+src.Rect.Dy()) {
			return -1e6, -1e6
		}
		return sx - float64(x), sy - float64(y)
	})
}

// TestInvitationsAreReadAgain draws 200 invitations and reads each after it was
// treated in one of the ways that codes are treated, and in two of them at once.
func TestInvitationsAreReadAgain(t *testing.T) {
	ways := []struct {
		name  string
		treat func(i int, g *image.Gray) image.Image
	}{
		{"as drawn", func(_ int, g *image.Gray) image.Image { return g }},
		{"rotated", func(i int, g *image.Gray) image.Image { return rotated(g, float64(i*37%360)) }},
		{"blurred", func(i int, g *image.Gray) image.Image { return blurred(g, 1+i%2) }},
		{"scaled", func(i int, g *image.Gray) image.Image { return scaled(g, 0.6+float64(i%20)/10) }},
		{"recompressed", func(i int, g *image.Gray) image.Image { return recompressed(t, g, 10+i%50) }},
		{"inverted", func(_ int, g *image.Gray) image.Image { return inverted(g) }},
		{"rotated and recompressed", func(i int, g *image.Gray) image.Image {
			return recompressed(t, rotated(g, float64(i*53%360)), 40)
		}},
		{"blurred and inverted", func(_ int, g *image.Gray) image.Image { return inverted(blurred(g, 1)) }},
	}
	read := map[string]int{}
	for i := range 200 {
		inv := invitation(i)
		text := inv.Code()
		way := ways[i%len(ways)]
		got, err := Find(way.treat(i, draw(t, text, 4)))
		if err != nil || got != text {
			t.Errorf("%d, %s: read %q (%v)", i, way.name, got, err)
			continue
		}
		again, err := pairing.ParseInvitation(got)
		if err != nil || again.ID != inv.ID || [16]byte(again.Secret) != [16]byte(inv.Secret) || len(again.Hints) != len(inv.Hints) {
			t.Errorf("%d, %s: it says %+v (%v)", i, way.name, again, err)
		}
		read[way.name]++
	}
	t.Log(read)
}

func TestALinkAndADeviceIDAreReadAgain(t *testing.T) {
	for _, text := range []string{invitation(3).Link(), device.ID{1, 2, 3}.String()} {
		if got, err := Find(draw(t, text, 3)); err != nil || got != text {
			t.Errorf("read %q (%v), want %q", got, err, text)
		}
	}
}

func TestACodeOnAScreenshotAndOnAPhotoIsFound(t *testing.T) {
	text := invitation(2).Code()
	small := onScreen(draw(t, text, 3), 500, 200, 1280, 720)
	large := rotated(onScreen(blurred(draw(t, text, 6), 2), 150, 100, 640, 640), 11)
	for name, img := range map[string]*image.Gray{"screenshot": small, "photo": large} {
		var file bytes.Buffer
		must(t, png.Encode(&file, img))
		if got, err := Read(&file); err != nil || got != text {
			t.Errorf("%s: read %q (%v)", name, got, err)
		}
	}
}

func TestAnInvitationsCodeIsSmall(t *testing.T) {
	inv := invitation(0)
	code, err := Draw(inv.Code())
	must(t, err)
	if got := code.Size(); got > 37+2*quiet {
		t.Errorf("without hints a side has %d squares", got)
	}
	inv = invitation(3)
	if code, err = Draw(inv.Code()); err != nil || code.Size() > 49+2*quiet {
		t.Errorf("with three hints a side has %d squares (%v)", code.Size(), err)
	}
}

// onTerminal gives the picture that a terminal shows.
func onTerminal(t *testing.T, text string) *image.Gray {
	t.Helper()
	const scale = 4
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var img *image.Gray
	for row, line := range lines {
		line, ok := strings.CutPrefix(line, blackOnWhite)
		line, closed := strings.CutSuffix(line, resetColours)
		if !ok || !closed {
			t.Fatalf("line %d is not black on white: %q", row, line)
		}
		cells := []rune(line)
		if img == nil {
			img = image.NewGray(image.Rect(0, 0, len(cells)*scale, 2*len(lines)*scale))
			for i := range img.Pix {
				img.Pix[i] = 255
			}
		}
		for x, r := range cells {
			for half, dark := range []bool{r == '█' || r == '▀', r == '█' || r == '▄'} {
				for i := range scale * scale {
					if dark {
						img.SetGray(x*scale+i%scale, (2*row+half)*scale+i/scale, color.Gray{})
					}
				}
			}
		}
	}
	return img
}

func TestWhatATerminalShowsCanBeRead(t *testing.T) {
	text := invitation(1).Code()
	code, err := Draw(text)
	must(t, err)
	drawn := code.Terminal()
	if got, err := Find(onTerminal(t, drawn)); err != nil || got != text {
		t.Errorf("read %q (%v)", got, err)
	}
	lines := strings.Split(drawn, "\n")
	for _, i := range []int{0, 1} { // the quiet zone
		if strings.ContainsAny(lines[i], "█▀▄") || !strings.HasPrefix(lines[i+2], blackOnWhite+"    █") {
			t.Errorf("line %d is %q", i, lines[i])
		}
	}
}

func TestPicturesWithoutACodeSaySo(t *testing.T) {
	white := image.NewGray(image.Rect(0, 0, 300, 300))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	var blank, whole bytes.Buffer
	must(t, png.Encode(&blank, white))
	must(t, png.Encode(&whole, draw(t, "hello", 4)))
	// A file of some hundred bytes that stands for 2^31 dots on a side.
	vast := bytes.Clone(whole.Bytes())
	copy(vast[16:], "\x7f\xff\xff\xff\x7f\xff\xff\xff")
	for name, file := range map[string][]byte{
		"white": blank.Bytes(), "text": []byte("hello"), "nothing": nil, "half a file": whole.Bytes()[:whole.Len()/2], "vast": vast,
	} {
		if text, err := Read(bytes.NewReader(file)); fault.CodeOf(err) != "picture-without-code" {
			t.Errorf("%s: read %q, %v", name, text, err)
		}
	}
	if got, err := Read(&whole); err != nil || got != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
}

func FuzzFind(f *testing.F) {
	g := draw(f, "LANYARD:AEAQ", 1)
	f.Add(uint8(g.Rect.Dx()), g.Pix)
	f.Fuzz(func(_ *testing.T, width uint8, dots []byte) {
		w := max(1, int(width))
		if h := len(dots) / w; h > 0 {
			_, _ = Find(&image.Gray{Pix: dots, Stride: w, Rect: image.Rect(0, 0, w, h)})
		}
	})
}

func BenchmarkFind(b *testing.B) {
	g := draw(b, invitation(3).Code(), 8)
	for b.Loop() {
		if _, err := Find(g); err != nil {
			b.Fatal(err)
		}
	}
}
