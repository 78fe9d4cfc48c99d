package config

import (
	"strings"
	"testing"
)

func TestOldDocumentsAreMigratedStepByStep(t *testing.T) {
	steps := migrations{
		1: func(d map[string]any) error { d["title"] = d["label"]; delete(d, "label"); return nil },
		2: func(d map[string]any) error { d["name"] = d["title"]; delete(d, "title"); return nil },
	}
	c, err := decode([]byte(`{"version":1,"label":"nas"}`), steps, 3)
	if err != nil || c.Name != "nas" || c.Version != 3 {
		t.Errorf("got %+v, %v; want the name nas in version 3", c, err)
	}
}

func TestAMissingMigrationIsNamed(t *testing.T) {
	_, err := decode([]byte(`{"version":1}`), migrations{2: func(map[string]any) error { return nil }}, 3)
	if err == nil || !strings.Contains(err.Error(), "version 1 is not known") {
		t.Errorf("got %v, want an error that names version 1", err)
	}
}
