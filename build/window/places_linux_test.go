package window_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pictures makes one of every screen in both themes.
func pictures(t *testing.T, s *screen, w *window, ben *device) {
	places := everyPlace(t, w, ben)
	bright := map[string]int{}
	for _, theme := range []string{"light", "dark"} {
		w.goes(t, "#/settings")
		w.click(t, s, map[string]string{"light": "Light", "dark": "Dark"}[theme])
		for name, place := range places {
			w.draws(t, place)
			picture := s.shoot(t, name+"-"+theme)
			bright[theme] += brightness(picture) / len(places)
		}
	}
	if bright["light"] < bright["dark"]+80 {
		t.Errorf("the light screens have a brightness of %d, the dark ones of %d", bright["light"], bright["dark"])
	}
}

// everyPlace gives the places of the pages, and has something to be seen at
// each: a folder that is offered, and a file with two versions. It fails where
// the pages know a place that it does not.
func everyPlace(t *testing.T, w *window, ben *device) map[string]string {
	t.Helper()
	st, err := w.of.state()
	must(t, err)
	folder, peer := st.Folders[0].ID, st.Devices[0].ID
	copied := twoVersions(t, w.of, ben, folder)
	offers(t, w.of, ben, st.ID)
	in := "#/folder/" + folder
	file := folder + "?path=Lisbon/IMG_2001.jpg"
	places := map[string]string{
		"overview": "#/", "needs": "#/needs", "transfers": "#/transfers", "settings": "#/settings", "more": "#/more",
		"connect": "#/connect", "connect-code": "#/connect/code", "connect-id": "#/connect/id", "share": "#/share",
		"folder": in, "files": in + "/files", "conflicts": in + "/conflicts", "history": in + "/history", "rules": in + "/rules", "options": in + "/options",
		"device": "#/device/" + peer, "why": "#/why/" + file, "versions": "#/versions/" + file,
		"conflict": "#/conflict/" + folder + "?path=" + url.QueryEscape(copied), "offer": "#/offer/recipes/" + peer,
		"doctor": "#/doctor", "activity": "#/activity", "support": "#/support", "licences": "#/licences",
	}
	source, err := os.ReadFile("frontend/src/lib/app/router.svelte.ts")
	must(t, err)
	_, kinds, _ := strings.Cut(string(source), "export type Place")
	kinds, _, _ = strings.Cut(kinds, "\n\n")
	known := regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(kinds, -1)
	for _, kind := range known {
		if places[kind[1]] == "" {
			t.Errorf("there is no picture of %q", kind[1])
		}
	}
	if len(known) < 10 {
		t.Errorf("the pages know the places %v alone", known)
	}
	return places
}

// twoVersions has a file changed on both devices while they are apart, and
// gives the name of the copy.
func twoVersions(t *testing.T, d, other *device, folder string) string {
	t.Helper()
	there, err := other.state()
	must(t, err)
	d.run(t, "device", "pause", there.ID)
	for _, of := range []*device{d, other} {
		must(t, os.WriteFile(filepath.Join(of.dir, "notes.txt"), []byte("written at "+of.dir+"\n"), 0o600))
		of.run(t, "scan", folder)
	}
	d.run(t, "device", "resume", there.ID)
	var found []string
	eventually(t, "both versions are there", func() error {
		found, err = filepath.Glob(filepath.Join(d.dir, "*.sync-conflict-*"))
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("there are %v", found)
		}
		st, fault := d.state()
		if fault == nil && st.Folders[0].Conflicts != 1 {
			fault = fmt.Errorf("%d are counted", st.Folders[0].Conflicts)
		}
		return errors.Join(err, fault)
	})
	return filepath.Base(found[0])
}

// offers has the other device offer a folder.
func offers(t *testing.T, d, other *device, id string) {
	t.Helper()
	dir := filepath.Join(filepath.Dir(other.dir), "Recipes")
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "Plum cake.txt"), []byte("Plums and a cake.\n"), 0o600))
	other.run(t, "folder", "add", dir, "--id", "recipes", "--label", "Recipes", "--share", id)
	eventually(t, "a folder is offered", func() error {
		st, err := d.state()
		if err != nil {
			return err
		}
		for _, o := range st.Offers {
			if o.Folder == "recipes" {
				return nil
			}
		}
		return fmt.Errorf("offered are %v", st.Offers)
	})
}
