package desktop

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheSizeIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "window.json")
	if got := readSize(file); got != (size{Width: firstWidth, Height: firstHeight}) {
		t.Errorf("at first it is %+v", got)
	}
	want := size{Width: 900, Height: 700}
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	if got := readSize(file); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := (size{Width: 1920, Height: 1080, Maximised: true}).write(file); err != nil {
		t.Fatal(err)
	}
	if got := readSize(file); got != (size{Width: 900, Height: 700, Maximised: true}) {
		t.Errorf("after it was maximised it is %+v", got)
	}
	if err := (size{Width: 900, Height: 700, Told: true}).write(file); err != nil {
		t.Fatal(err)
	}
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	if !readSize(file).Told {
		t.Error("what was told is forgotten")
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("beside it lie %v, %v", left, err)
	}
}

func TestASizeThatCannotBeIsMended(t *testing.T) {
	file := filepath.Join(t.TempDir(), "window.json")
	for text, want := range map[string]size{
		`{"width":-5,"height":1e6}`:  {Width: firstWidth, Height: firstHeight},
		`{"width":-5,"height":10}`:   {Width: leastWidth, Height: leastHeight},
		`{"width":99999,"height":2}`: {Width: mostSide, Height: leastHeight},
		`no JSON`:                    {Width: firstWidth, Height: firstHeight},
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readSize(file); got != want {
			t.Errorf("%s gives %+v, want %+v", text, got, want)
		}
	}
}
