package service

import (
	"testing"

	"lanyard/app/node"
	"lanyard/app/text"
	"lanyard/sync/status"
)

func TestWhatTheDoctorFindsIsPutInWords(t *testing.T) {
	texts, err := text.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	got := checkupOf(texts, true, []string{"network", "mdns", "buffers"}, []node.Symptom{
		{Check: "mdns", On: "eth0", Problem: status.Problem{Code: "firewall-blocked", Text: "not heard"}},
		{Check: "buffers", Problem: status.Problem{Code: "buffers-small", Param: map[string]string{"size": "1000"}}},
	})
	if len(got.Checks) != 3 || !got.Running {
		t.Fatalf("looked at was %+v", got)
	}
	if c := got.Checks[0]; c.Text == "" || c.Findings == nil || len(c.Findings) != 0 {
		t.Errorf("what is well is told as %+v", c)
	}
	if c := got.Checks[1]; c.Text != "" || len(c.Findings) != 1 || c.Findings[0].On != "eth0" ||
		c.Findings[0].Problem.Severity != status.Ask || c.Findings[0].Problem.Remedy == "" || c.Findings[0].Problem.Text == "not heard" {
		t.Errorf("what is wrong is told as %+v", c)
	}
	if p := got.Checks[2].Findings[0].Problem; p.Text != "The system gives connections little memory. They may hold 1 kB. Transfers over fast networks are slower." {
		t.Errorf("it is told as %q", p.Text)
	}
}

func TestEveryCheckIsSaidToBeWell(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		texts, err := text.Load(language)
		if err != nil {
			t.Fatal(err)
		}
		checks := append(node.Checks(), node.CheckWatches, checkHome, checkFolders, checkDevices, checkOthers)
		for _, c := range checks {
			if texts.Well[c] == "" {
				t.Errorf("%s says nothing of %q", language, c)
			}
		}
		if len(texts.Well) != len(checks) {
			t.Errorf("%s says something of %d checks, there are %d", language, len(texts.Well), len(checks))
		}
	}
}
