package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// story is what the demo shows, chapter by chapter.
type story struct {
	source         string
	laptop, tablet *device
}

// videoSize is one large file beside the many small ones.
const videoSize = 64 << 20

// begin makes two devices and pairs them.
func (s *story) begin(ctx context.Context, bin, root string) (err error) {
	if s.laptop, err = newDevice(ctx, bin, root, "laptop"); err != nil {
		return err
	}
	if s.tablet, err = newDevice(ctx, bin, root, "tablet"); err != nil {
		return err
	}
	fmt.Printf("Two devices on this machine:\n  laptop  %s\n  tablet  %s\n", s.laptop.id, s.tablet.id)
	for _, d := range []*device{s.laptop, s.tablet} {
		if err := d.start(ctx); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := pair(ctx, s.laptop, s.tablet); err != nil {
		return err
	}
	err = until(ctx, "they are connected", func() bool {
		return s.laptop.connected(ctx, s.tablet) && s.tablet.connected(ctx, s.laptop)
	})
	if err != nil {
		return err
	}
	fmt.Printf("The tablet used an invitation of the laptop's: %s later each was the other's peer, and connected.\n", short(time.Since(began)))
	return nil
}

// end stops what runs.
func (s *story) end() {
	for _, d := range []*device{s.laptop, s.tablet} {
		if d != nil {
			d.stop()
		}
	}
}

// firstCopy fills the laptop's folder and brings it to the tablet.
func (s *story) firstCopy(ctx context.Context) error {
	chapter("A first copy")
	if err := copyFiles(s.source, s.laptop.dir); err != nil {
		return err
	}
	video := make([]byte, videoSize)
	_, _ = rand.Read(video) // never fails
	if err := os.WriteFile(filepath.Join(s.laptop.dir, "holiday.mp4"), video, 0o644); err != nil {
		return err
	}
	began := time.Now()
	if err := s.laptop.share(ctx, s.tablet); err != nil {
		return err
	}
	if err := s.tablet.share(ctx, s.laptop); err != nil {
		return err
	}
	if err := s.laptop.wait(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	t, err := same(s.laptop.dir, s.tablet.dir)
	if err != nil {
		return err
	}
	mib := float64(t.bytes) / (1 << 20)
	fmt.Printf("%d files, %.0f MiB, went from laptop to tablet in %s (%.0f MiB a second, first look included).\n",
		len(t.entries), mib, short(took), mib/took.Seconds())
	return nil
}

func (s *story) saveThere(ctx context.Context) error {
	chapter("A saved file")
	return s.save(ctx, s.laptop, s.tablet, "shopping list.txt", "milk, bread")
}

func (s *story) saveBack(ctx context.Context) error {
	return s.save(ctx, s.tablet, s.laptop, "sketch.txt", "a drawing made on the tablet")
}

// save writes a file on one device and waits for its bytes on the other.
func (s *story) save(ctx context.Context, from, to *device, name, text string) error {
	began := time.Now()
	if err := os.WriteFile(filepath.Join(from.dir, name), []byte(text), 0o644); err != nil {
		return err
	}
	err := until(ctx, name+" on "+to.name, func() bool { return holds(to, name, text) })
	if err != nil {
		return err
	}
	fmt.Printf("%q saved on %s was on %s after %s.\n", name, from.name, to.name, short(time.Since(began)))
	return nil
}

// holds reports whether a device has a file with this text.
func holds(d *device, name, text string) bool {
	got, err := os.ReadFile(filepath.Join(d.dir, name))
	return err == nil && bytes.Equal(got, []byte(text))
}

// conflict edits the same file on both devices while they are apart.
func (s *story) conflict(ctx context.Context) error {
	chapter("The same file edited on both, while they were apart")
	if err := s.laptop.wait(ctx); err != nil {
		return err
	}
	s.tablet.stop()
	const name, onLaptop, onTablet = "shopping list.txt", "milk, bread, apples", "milk, bread, candles"
	for d, text := range map[*device]string{s.laptop: onLaptop, s.tablet: onTablet} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if _, err := s.laptop.run(ctx, "scan", folderID); err != nil {
		return err
	}
	if err := s.tablet.start(ctx); err != nil {
		return err
	}
	if err := s.bothWait(ctx); err != nil {
		return err
	}
	return s.bothTexts(name, onLaptop, onTablet)
}

// bothWait waits on either device: what one still has to find, the other
// cannot know of.
func (s *story) bothWait(ctx context.Context) error {
	for _, d := range []*device{s.tablet, s.laptop, s.tablet} {
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// bothTexts checks that each device holds both texts, under the name and as a
// conflict copy.
func (s *story) bothTexts(name string, texts ...string) error {
	stem, ext, _ := strings.Cut(name, ".")
	for _, d := range []*device{s.laptop, s.tablet} {
		names, err := filepath.Glob(filepath.Join(d.dir, stem+"*."+ext))
		if err != nil {
			return err
		}
		for _, text := range texts {
			found := ""
			for _, path := range names {
				if base := filepath.Base(path); holds(d, base, text) {
					found = base
				}
			}
			if found == "" {
				return fmt.Errorf("%s lost the text %q", d.name, text)
			}
			if d == s.laptop {
				fmt.Printf("%-26q is in %q\n", text, found)
			}
		}
	}
	fmt.Println("Both devices have both. Nothing was asked, nothing was lost.")
	return nil
}

// deletion deletes a file on one device and looks for it on the other.
func (s *story) deletion(ctx context.Context) error {
	chapter("A deleted file")
	const name = "sketch.txt"
	began := time.Now()
	if err := os.Remove(filepath.Join(s.laptop.dir, name)); err != nil {
		return err
	}
	err := until(ctx, name+" gone from tablet", func() bool {
		_, err := os.Lstat(filepath.Join(s.tablet.dir, name))
		return os.IsNotExist(err)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%q deleted on laptop was gone from tablet after %s.\n", name, short(time.Since(began)))
	kept, err := filepath.Glob(filepath.Join(s.tablet.dir, ".stversions", "sketch*"))
	if err != nil {
		return err
	}
	if len(kept) == 0 {
		return fmt.Errorf("the tablet kept no copy of %s", name)
	}
	fmt.Printf("The tablet keeps a copy for 30 days: .stversions/%s\n", filepath.Base(kept[0]))
	return nil
}

// lastLook compares every byte once more.
func (s *story) lastLook(ctx context.Context) error {
	chapter("Every byte compared")
	if err := s.bothWait(ctx); err != nil {
		return err
	}
	t, err := same(s.laptop.dir, s.tablet.dir)
	if err != nil {
		return err
	}
	fmt.Printf("%d files, %.0f MiB: content, time and mode are the same on both devices.\n", len(t.entries), float64(t.bytes)/(1<<20))
	return nil
}

func chapter(title string) { fmt.Printf("\n%s\n", title) }
