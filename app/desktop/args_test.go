package desktop

import (
	"strings"
	"testing"
)

func TestArgumentsAreRead(t *testing.T) {
	tests := []struct {
		args string // parted by spaces
		want launched
		err  bool
	}{
		{"", launched{}, false},
		{"--home /h", launched{home: "/h"}, false},
		{"--home=/h lanyard://pair#AB", launched{home: "/h", link: "lanyard://pair#AB"}, false},
		{"LANYARD:AB", launched{link: "LANYARD:AB"}, false},
		{"--home /h --page #/folder/a-%20b/conflicts?x=1", launched{home: "/h", page: "#/folder/a-%20b/conflicts?x=1"}, false},
		{"--page #/x<b>", launched{}, true},
		{"--page /needs", launched{}, true},
		{"--page", launched{}, true},
		{"lanyard:a --page #/needs", launched{}, true},
		{"--background", launched{background: true}, false},
		{"-psn_0_123", launched{}, false},
		{"--help", launched{help: true}, false},
		{"serve --home /h", launched{command: true}, false},
		{"--home /h status --json", launched{home: "/h", command: true}, false},
		{"--web", launched{}, true},
		{"lanyard:a lanyard:b", launched{}, true},
		{"lanyard:a --home=/h", launched{}, true},
		{"lanyard:a serve", launched{}, true},
	}
	for _, test := range tests {
		got, err := parse(strings.Fields(test.args))
		if (err != nil) != test.err || err == nil && got != test.want {
			t.Errorf("%q gives %+v, %v; want %+v", test.args, got, err, test.want)
		}
	}
}

func TestALinkOfAnotherFormIsRefused(t *testing.T) {
	for _, link := range []string{
		"lanyard:a b", "lanyard:\n", "lanyard:ü", "lanyard:\x7f", "lanyard:\x00", "lanyard:\"", "lanyard:<b>", "lanyard:\\",
		"lanyard:" + strings.Repeat("a", longestLink),
	} {
		if _, err := parse([]string{link}); err == nil {
			t.Errorf("%q was taken", link)
		}
	}
	if plainLink("http://example.org") {
		t.Error("a link of another scheme is taken for ours")
	}
}
