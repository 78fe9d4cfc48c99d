package service_test

import (
	"testing"

	"lanyard/app/node/nodetest"
	"lanyard/app/service"
	"lanyard/sync/status"
)

func TestActivityNamesWhoDidWhatAndSaysWhenThereIsMore(t *testing.T) {
	e := nodetest.New()
	s := start(t, e)
	addPeers(t, s)
	ctx := t.Context()
	self, err := s.Identity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	e.Options().Did("docs", "Docs", status.Deed{What: status.FileChanged, Path: "a.txt", By: nas.Short()})
	e.Options().Did("docs", "Docs", status.Deed{What: status.FileAdded, Path: "b.txt", By: e.Options().ID.Short()})
	after, err := s.Status(ctx)
	if err != nil || after.Activity == before.Activity {
		t.Errorf("the state says %q as before, error %v", after.Activity, err)
	}
	got, err := s.Activity(ctx, service.ActivityRequest{Kind: "files"})
	if err != nil || len(got.Entries) != 2 {
		t.Fatalf("%+v, error %v", got, err)
	}
	if h := got.Entries[0]; h.Path != "b.txt" || h.Device != self.ID || h.Name != self.Name {
		t.Errorf("done here: %+v", h)
	}
	if h := got.Entries[1]; h.Path != "a.txt" || h.Device != nas.String() || h.Name != "nas" || h.Label != "Docs" {
		t.Errorf("done by another device: %+v", h)
	}
	if got, err = s.Activity(ctx, service.ActivityRequest{Device: "nas", Kind: "files"}); err != nil || len(got.Entries) != 1 {
		t.Errorf("by its name: %+v, error %v", got, err)
	}
	_, err = s.Activity(ctx, service.ActivityRequest{Before: "x"})
	wantStatus(t, "a place that no part said", err, 422)
}
