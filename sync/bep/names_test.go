package bep

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCleanName(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "Anna's laptop", "Anna's laptop"},
		{"other scripts stay", "笔记本 💻", "笔记本 💻"},
		{"spaces collapse", "  a \t\r\n  b\u00a0\u2028c  ", "a b c"},
		{"control characters go", "a\x00\x1b[31mb\x7f\u009bc", "a[31mbc"},
		{"direction marks go", "a\u202eb\u2066c\u200fd\u061c", "abcd"},
		{"bytes that are not UTF-8 are marked", "a\xffb", "a\uFFFDb"},
		{"64 runes are enough", strings.Repeat("é", 65), strings.Repeat("é", 64)},
		{"no space is left at the end", strings.Repeat("a", 63) + " b", strings.Repeat("a", 63)},
		{"nothing may be left", " \u202e ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CleanName(tt.in); got != tt.want {
				t.Errorf("CleanName(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestACleanNameIsFitToShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		got := CleanName(in)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 64 || strings.TrimSpace(got) != got {
			t.Fatalf("CleanName(%q) = %q", in, got)
		}
		if strings.ContainsFunc(got, unicode.IsControl) || strings.ContainsFunc(got, isUnseen) {
			t.Fatalf("CleanName(%q) = %q holds what cannot be seen", in, got)
		}
		if again := CleanName(got); again != got {
			t.Fatalf("CleanName(%q) = %q, want it unchanged", got, again)
		}
	})
}

func TestACleanNameLooksLikeNoOther(t *testing.T) {
	for in, want := range map[string]string{
		"Ben\u200b's\u2060 lap\u00adtop\ufeff": "Ben's laptop",
		"Ben\u3164":                            "Ben",
		"\u202eneB":                            "neB",
		"a\ue000b":                             "ab",
		"👩\u200d💻 desk":                        "👩\u200d💻 desk",
		" two\n\tlines ":                       "two lines",
	} {
		if got := CleanName(in); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
}
