package service

import (
	"slices"
	"strings"
	"testing"

	"lanyard/app/node"
	"lanyard/app/node/nodetest"
	"lanyard/app/text"
	"lanyard/sync/device"
	"lanyard/sync/engine"
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

func TestAConnectedDeviceTellsTheDoctorWhomItSees(t *testing.T) {
	texts, err := text.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	attic, nas, phone, paused := device.ID{1}, device.ID{2}, device.ID{3}, device.ID{4}
	snap := status.Snapshot{Devices: []status.Device{
		{ID: attic.String(), Name: "attic"},
		{ID: nas.String(), Name: "nas", Connected: true},
		{ID: phone.String(), Name: "phone"},
		{ID: paused.String(), Name: "paused", Paused: true},
	}}
	sees := engine.Sight{Connected: true}
	answers := []engine.Hearing{{
		By: nas, Listens: true, Us: true, Devices: map[device.ID]engine.Sight{attic: sees, nas: sees, paused: sees, phone: {}},
	}}
	fake := nodetest.New()
	fake.OnHearings = func() []engine.Hearing { return answers }
	announces := true
	s := &Service{engine: fake, texts: texts, announces: func() bool { return announces }}
	found := func(want ...string) {
		t.Helper()
		c, asked := s.others(t.Context(), snap)
		var got []string
		for _, f := range c.Findings {
			if f.Problem.Severity == "" || f.Problem.Remedy == "" {
				t.Errorf("%s is told as %+v", f.On, f.Problem)
			}
			got = append(got, f.On+": "+string(f.Problem.Code))
		}
		if !asked || !slices.Equal(got, want) {
			t.Errorf("found %q (asked: %v), want %q", got, asked, want)
		}
	}
	found("attic: heard-elsewhere")
	if c, _ := s.others(t.Context(), snap); !strings.HasPrefix(c.Findings[0].Problem.Text, "nas sees attic, and this computer does not reach it") {
		t.Errorf("it is told as %q", c.Findings[0].Problem.Text)
	}
	answers[0].Devices = map[device.ID]engine.Sight{phone: {Heard: true}}
	answers[0].Us = false
	found("nas: not-heard", "phone: heard-elsewhere")
	announces = false // nothing is there to be heard
	found("phone: heard-elsewhere")
	announces, answers[0].Listens, answers[0].Devices = true, false, nil
	found()
	answers = nil
	if c, asked := s.others(t.Context(), snap); asked || len(c.Findings) > 0 {
		t.Errorf("nobody answered, and %+v is found", c)
	}
}
