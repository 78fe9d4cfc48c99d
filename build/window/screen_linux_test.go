package window_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// screen is a display without a monitor, with a window manager.
type screen struct {
	display string // such as :3
	frame   string // file that holds what it shows
}

const screenWidth, screenHeight = 1280, 900

// newScreen makes a display that lasts as long as the test.
func newScreen(t *testing.T) *screen {
	t.Helper()
	dir := t.TempDir()
	reader, writer, err := os.Pipe()
	must(t, err)
	cmd := exec.Command("Xvfb", "-screen", "0", fmt.Sprintf("%dx%dx24", screenWidth, screenHeight), "-nolisten", "tcp", "-fbdir", dir, "-displayfd", "3")
	cmd.ExtraFiles = []*os.File{writer}
	must(t, cmd.Start())
	writer.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // killed on purpose
	number, err := bufio.NewReader(reader).ReadString('\n')
	must(t, err)
	s := &screen{display: ":" + strings.TrimSpace(number), frame: filepath.Join(dir, "Xvfb_screen0")}
	manager := exec.Command("openbox")
	manager.Env = append(os.Environ(), "DISPLAY="+s.display)
	must(t, manager.Start())
	t.Cleanup(func() { _ = manager.Process.Kill(); _ = manager.Wait() }) // likewise
	eventually(t, "the window manager runs", func() error {
		_, err := s.tool("xdotool", "get_desktop")
		return err
	})
	return s
}

// tool runs a program on the display and gives what it says.
func (s *screen) tool(argv ...string) (string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSpace(string(out)), err
}

// keys presses keys, such as ctrl+w.
func (s *screen) keys(t *testing.T, keys ...string) {
	t.Helper()
	_, err := s.tool(append([]string{"xdotool", "key", "--clearmodifiers"}, keys...)...)
	must(t, err)
}

// types types text.
func (s *screen) types(t *testing.T, text string) {
	t.Helper()
	_, err := s.tool("xdotool", "type", "--clearmodifiers", "--delay", "8", text)
	must(t, err)
}

// look gives what the display shows.
func (s *screen) look() (image.Image, error) {
	data, err := os.ReadFile(s.frame)
	if err != nil {
		return nil, err
	}
	return readXWD(data)
}

// settles waits until the display has stopped changing.
func (s *screen) settles(t *testing.T) {
	t.Helper()
	var before []byte
	same := 0
	eventually(t, "the display rests", func() error {
		now, err := os.ReadFile(s.frame)
		if err != nil {
			return err
		}
		if !bytes.Equal(before, now) {
			before, same = now, 0
		}
		if same++; same < 8 {
			return errors.New("it changes")
		}
		return nil
	})
}

// shoot keeps a picture of the display, and fails the test if a region of it is
// blank: nearly all of one colour.
func (s *screen) shoot(t *testing.T, name string) image.Image {
	t.Helper()
	var picture image.Image
	eventually(t, "a picture of "+name, func() error {
		before := picture
		var err error
		if picture, err = s.look(); err != nil {
			return err
		}
		if before == nil || !bytes.Equal(before.(*image.RGBA).Pix, picture.(*image.RGBA).Pix) {
			return errors.New("it changes")
		}
		if n := colours(picture); n < 12 {
			return fmt.Errorf("it is blank: %d colours", n)
		}
		return nil
	})
	dir := filepath.Join(os.Getenv("LANYARD_WINDOW"), "shots")
	must(t, os.MkdirAll(dir, 0o755))
	file, err := os.Create(filepath.Join(dir, name+".png"))
	must(t, err)
	must(t, errors.Join(png.Encode(file, picture), file.Close()))
	return picture
}

// colours counts the colours in a picture that more than a few of its points
// have.
func colours(picture image.Image) int {
	counts := map[color.Color]int{}
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			counts[picture.At(x, y)]++
		}
	}
	n := 0
	for _, count := range counts {
		if count >= 20 {
			n++
		}
	}
	return n
}

// brightness gives the mean of the middle of a picture, between 0 and 255.
func brightness(picture image.Image) int {
	sum, n := 0, 0
	b := picture.Bounds()
	for y := b.Dy() / 3; y < b.Dy()*2/3; y++ {
		for x := b.Dx() / 3; x < b.Dx()*2/3; x++ {
			sum += int(color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y)
			n++
		}
	}
	return sum / n
}

// readXWD reads a window dump of version 7 with 32 bits for each point, as
// XWDFile.h of X11 describes it.
func readXWD(data []byte) (image.Image, error) {
	if len(data) < 100 {
		return nil, errors.New("the frame is not there yet")
	}
	word := func(i int) int { return int(binary.BigEndian.Uint32(data[4*i:])) }
	header, width, height, bits, line, entries := word(0), word(4), word(5), word(11), word(12), word(19)
	start := header + entries*12
	if word(1) != 7 || bits != 32 || len(data) < start+line*height {
		return nil, fmt.Errorf("a frame of version %d with %d bits for a point", word(1), bits)
	}
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := data[start+y*line+4*x:]
			if word(7) == 0 { // the least byte first
				picture.SetRGBA(x, y, color.RGBA{p[2], p[1], p[0], 255})
			} else {
				picture.SetRGBA(x, y, color.RGBA{p[1], p[2], p[3], 255})
			}
		}
	}
	return picture, nil
}
