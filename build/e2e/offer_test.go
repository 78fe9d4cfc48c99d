//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// offer and preview are the parts of what the command line tells that the test
// looks at.
type offer struct {
	Device    string `json:"device"`
	Label     string `json:"label"`
	Connected bool   `json:"connected"`
	Counted   bool   `json:"counted"`
	Files     int64  `json:"files"`
	Bytes     int64  `json:"bytes"`
	Free      int64  `json:"free"`
}

type preview struct {
	Same, Here, There struct {
		Files int64 `json:"files"`
		Bytes int64 `json:"bytes"`
	}
	Differ   int64 `json:"differ"`
	Incoming int64 `json:"incoming"`
	Outgoing int64 `json:"outgoing"`
	Complete bool  `json:"complete"`
}

// The one who offers is a Lanyard or a Syncthing. What it offers is compared with
// a directory that holds some of it, which is changed by nothing but consent.
func TestAnOfferIsComparedAcceptedAndSynced(t *testing.T) {
	t.Parallel()
	t.Run("by a Lanyard", func(t *testing.T) {
		t.Parallel()
		b := newLanyard(t, "b")
		offered := acceptedFrom(t, newLanyard(t, "a"), b)
		if !offered.Counted || offered.Files != 3 || offered.Bytes != 5+6+7 || !offered.Connected || offered.Free == 0 {
			t.Errorf("the offer is %+v", offered)
		}
	})
	t.Run("by a Syncthing", func(t *testing.T) {
		t.Parallel()
		if !needSyncthing(t) {
			return
		}
		b := newLanyard(t, "b")
		if offered := acceptedFrom(t, newSyncthing(t, "a"), b); offered.Counted {
			t.Errorf("it told how much there is: %+v", offered)
		}
	})
}

// acceptedFrom has b take part in what a offers, and gives the offer.
func acceptedFrom(t *testing.T, a node, b *lanyard) offer {
	t.Helper()
	for name, content := range map[string]string{"same": "equal", "differs": "from a", "only-a": "1234567"} {
		must(t, os.WriteFile(filepath.Join(a.Dir(), name), []byte(content), 0o644))
	}
	for name, content := range map[string]string{"same": "equal", "differs": "mine", "only-b": "12"} {
		must(t, os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o644))
	}
	a.Know(t, b, true)
	b.run(t, "device", "add", a.ID(), "--name", "a")
	a.Start(t)
	b.Start(t)
	a.Scan(t)
	var offers []offer
	eventually(t, patience, "an offer", func() error {
		if err := json.Unmarshal([]byte(b.run(t, "folder", "offers", "--json")), &offers); err != nil {
			return err
		}
		if _, extended := a.(*lanyard); len(offers) != 1 || extended && offers[0].Files != 3 {
			return fmt.Errorf("offered are %+v", offers)
		}
		return nil
	})
	before, err := readTree(b.dir)
	must(t, err)
	var p preview
	must(t, json.Unmarshal([]byte(b.run(t, "folder", "preview", folderID, b.dir, "--json")), &p))
	if p.Same.Files != 1 || p.Here.Files != 1 || p.There.Files != 1 || p.Differ != 1 || p.Incoming != 7+6 || p.Outgoing != 2+4 || !p.Complete {
		t.Errorf("the preview is %+v", p)
	}
	if _, err := b.try("folder", "accept", folderID, b.dir); err == nil {
		t.Error("a directory that holds files was joined without being asked for")
	}
	after, err := readTree(b.dir)
	must(t, err)
	if diff := before.diff(after); diff != "" {
		t.Errorf("before consent the directory was changed, - before, + after:\n%s", diff)
	}
	b.run(t, "folder", "accept", folderID, b.dir, "--merge")
	b.shared = true
	got := converge(t, patience, a, b)
	if len(got) < 5 { // same, only-a, only-b, and both versions of what differs
		t.Errorf("both have %v", got)
	}
	return offers[0]
}
