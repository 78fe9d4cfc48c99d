package service

import (
	"context"
	"time"

	"lanyard/app/node"
	"lanyard/app/text"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// Checkup is what was looked at because devices do not find each other.
type Checkup struct {
	Checks  []Checked `json:"checks"`
	Running bool      `json:"running" doc:"an engine runs, and was asked as well"`
}

// Checked is one thing that was looked at.
type Checked struct {
	Check    string           `json:"check" doc:"network, mdns, local, route, port, buffers, clock, watches, home, folders, devices or others"`
	Text     string           `json:"text" doc:"what is well; empty where something is wrong"`
	Findings []CheckedFinding `json:"findings"`
}

// CheckedFinding is one thing that is wrong.
type CheckedFinding struct {
	On      string         `json:"on" doc:"network interface, folder or device that it is about, empty for none"`
	Problem status.Problem `json:"problem"`
}

// Checks of what the engine knows, beside those of the network.
const (
	checkHome    = "home"
	checkFolders = "folders"
	checkDevices = "devices"
	checkOthers  = "others"
)

// askFor is how long the connected devices may take to say whom they hear.
const askFor = 3 * time.Second

// Doctor looks at what keeps devices from finding each other and from being in
// sync. It takes some seconds.
func (s *Service) Doctor(ctx context.Context) (Checkup, error) {
	out := s.examine(ctx, s.texts, true)
	snap := s.snapshot()
	home := Checked{Check: checkHome}
	for _, p := range snap.Problems {
		home.Findings = append(home.Findings, CheckedFinding{Problem: p})
	}
	folders := Checked{Check: checkFolders}
	for _, f := range snap.Folders {
		for _, p := range f.Problems {
			folders.Findings = append(folders.Findings, CheckedFinding{f.Label, p})
		}
	}
	devices := Checked{Check: checkDevices}
	for _, d := range snap.Devices {
		for _, p := range d.Problems {
			devices.Findings = append(devices.Findings, CheckedFinding{d.Name, p})
		}
	}
	for _, c := range []Checked{home, folders, devices} {
		out.Checks = append(out.Checks, settled(s.texts, c))
	}
	if c, asked := s.others(ctx, snap); asked {
		out.Checks = append(out.Checks, settled(s.texts, c))
	}
	return out, ctx.Err()
}

// others asks the connected devices whom they see and whether they hear us; asked
// is false where none answered.
func (s *Service) others(ctx context.Context, snap status.Snapshot) (c Checked, asked bool) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	answers := s.engine.Hearings(ctx)
	names := map[string]string{}
	for _, d := range snap.Devices {
		names[d.ID] = d.Name
	}
	c.Check = checkOthers
	find := func(on string, p status.Problem) {
		s.texts.Word(&p)
		p.Severity = s.texts.Problems[p.Code].Severity
		c.Findings = append(c.Findings, CheckedFinding{on, p})
	}
	for _, h := range answers {
		by := names[h.By.String()]
		if h.Listens && !h.Us && s.announces() {
			find(by, status.Problem{Code: "not-heard", Text: "our announcements are not heard there", Param: map[string]string{"device": by}})
		}
		for _, d := range snap.Devices {
			id, err := device.Parse(d.ID)
			sight := h.Devices[id]
			if err != nil || d.Connected || d.Paused || !sight.Connected && !sight.Heard {
				continue
			}
			find(d.Name, status.Problem{
				Code: "heard-elsewhere", Text: "another device sees it", Param: map[string]string{"device": d.Name, "other": by},
			})
		}
	}
	return c, len(answers) > 0
}

// Doctor looks at what can be seen without an engine.
func (s *Settings) Doctor(ctx context.Context) (Checkup, error) {
	texts, err := text.Load("en")
	if err != nil {
		return Checkup{}, err
	}
	out := s.examine(ctx, texts, false)
	counting, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	if found, ok := node.Watches(counting, s.store.Config()); ok {
		out.Checks = append(out.Checks, checkupOf(texts, false, []string{node.CheckWatches}, found).Checks...)
	}
	home := Checked{Check: checkHome}
	if exposed, err := s.store.Home().Exposed(); err == nil && exposed != "" {
		home.Findings = append(home.Findings, CheckedFinding{Problem: keyExposed(texts, exposed)})
	}
	out.Checks = append(out.Checks, settled(texts, home))
	return out, ctx.Err()
}

// countFor is how long the directories of the folders may take to be counted.
const countFor = 10 * time.Second

// keyExposed is the problem of a home that other users can read.
func keyExposed(texts *text.Catalogue, path string) status.Problem {
	p := status.Problem{Code: "key-exposed", Param: map[string]string{"path": path}}
	texts.Word(&p)
	return p
}

// examine tries the network.
func (s *Settings) examine(ctx context.Context, texts *text.Catalogue, running bool) Checkup {
	checks, found := node.Examine(ctx, s.store.Home(), s.store.Config(), running)
	return checkupOf(texts, running, checks, found)
}

// checkupOf puts what was found under its checks, in words.
func checkupOf(texts *text.Catalogue, running bool, checks []string, found []node.Symptom) Checkup {
	out := Checkup{Checks: make([]Checked, 0, len(checks)+3), Running: running}
	for _, name := range checks {
		c := Checked{Check: name}
		for _, f := range found {
			if f.Check != name {
				continue
			}
			texts.Word(&f.Problem)
			if f.Problem.Severity == "" {
				f.Problem.Severity = texts.Problems[f.Problem.Code].Severity
			}
			c.Findings = append(c.Findings, CheckedFinding{f.On, f.Problem})
		}
		out.Checks = append(out.Checks, settled(texts, c))
	}
	return out
}

// settled says that nothing is wrong, where that is so.
func settled(texts *text.Catalogue, c Checked) Checked {
	if len(c.Findings) == 0 {
		c.Text = texts.Well[c.Check]
		c.Findings = []CheckedFinding{}
	}
	return c
}
