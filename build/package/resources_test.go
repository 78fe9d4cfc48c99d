package packages

import (
	"debug/pe"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestMain(m *testing.M) {
	if os.Getenv("LANYARD_PACKAGES") == "" {
		fmt.Println("not run: the tests of packages need LANYARD_PACKAGES (make test sets it)")
		return
	}
	m.Run()
}

// The kinds of resources, as WinUser.h numbers them.
const (
	icon      = 3
	groupIcon = 14
	version   = 16
	manifest  = 24
)

// resources gives what a program for Windows holds, by kind and number, as the
// PE format lays it out: three levels of directories, for kind, number and
// language.
func resources(t *testing.T, program *pe.File) map[[2]uint32][]byte {
	t.Helper()
	section := program.Section(".rsrc")
	if section == nil {
		t.Fatal("it has no resources")
	}
	data, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	word := binary.LittleEndian.Uint32
	type entry struct{ id, at uint32 }
	list := func(at uint32) []entry {
		at &^= 1 << 31
		n := uint32(binary.LittleEndian.Uint16(data[at+12:])) + uint32(binary.LittleEndian.Uint16(data[at+14:]))
		var entries []entry
		for i := range n {
			e := data[at+16+8*i:]
			entries = append(entries, entry{word(e), word(e[4:])})
		}
		return entries
	}
	found := map[[2]uint32][]byte{}
	for _, kind := range list(0) {
		for _, number := range list(kind.at) {
			for _, language := range list(number.at) {
				start, size := word(data[language.at:])-section.VirtualAddress, word(data[language.at+4:])
				found[[2]uint32{kind.id, number.id}] = data[start : start+size]
			}
		}
	}
	return found
}

func TestProgramsForWindowsHaveIconManifestAndVersion(t *testing.T) {
	for name, subsystem := range map[string]uint16{
		"lanyard.exe":         pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		"lanyard-desktop.exe": pe.IMAGE_SUBSYSTEM_WINDOWS_GUI,
	} {
		t.Run(name, func(t *testing.T) {
			program, err := pe.Open(filepath.Join(os.Getenv("LANYARD_PACKAGES"), "windows", name))
			if err != nil {
				t.Fatal(err)
			}
			defer program.Close()
			if got := program.OptionalHeader.(*pe.OptionalHeader64).Subsystem; got != subsystem {
				t.Errorf("its subsystem is %d, want %d", got, subsystem)
			}
			found := resources(t, program)

			group := found[[2]uint32{groupIcon, 3}] // where the window looks for it
			if len(group) < 6 {
				t.Fatal("there is no icon 3")
			}
			var sizes []int
			for i := range int(binary.LittleEndian.Uint16(group[4:])) {
				e := group[6+14*i:]
				sizes = append(sizes, (int(e[0])+255)%256+1) // 0 stands for 256
				if picture := found[[2]uint32{icon, uint32(binary.LittleEndian.Uint16(e[12:]))}]; len(picture) != int(binary.LittleEndian.Uint32(e[8:])) {
					t.Errorf("the picture of %d points has %d bytes", sizes[i], len(picture))
				}
			}
			for _, want := range []int{16, 32, 48, 256} {
				if !slices.Contains(sizes, want) {
					t.Errorf("its icon has the sizes %v, and lacks %d", sizes, want)
				}
			}

			text := string(found[[2]uint32{manifest, 1}])
			for _, want := range []string{`level="asInvoker"`, ">permonitorv2", "longPathAware", "Microsoft.Windows.Common-Controls"} {
				if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
					t.Errorf("its manifest lacks %s:\n%s", want, text)
				}
			}

			raw := found[[2]uint32{version, 1}]
			units := make([]uint16, len(raw)/2)
			for i := range units {
				units[i] = binary.LittleEndian.Uint16(raw[2*i:])
			}
			if words := string(utf16.Decode(units)); !strings.Contains(words, "ProductName\x00") || !strings.Contains(words, "0.1.0") {
				t.Errorf("its version says %q", words)
			}
		})
	}
}
