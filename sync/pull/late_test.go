package pull_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/pull"
)

// silent has a device leave the requests for names open until it is let go.
func (r *rig) silent(dev device.ID) (letGo func()) {
	held := make(chan struct{})
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	r.source.holdOf = map[device.ID]chan struct{}{dev: held}
	return func() { close(held) }
}

// until waits in virtual time, and reports whether it came true.
func until(ok func() bool) bool {
	for range 200 {
		if ok() {
			return true
		}
		<-time.After(50 * time.Millisecond)
	}
	return false
}

func (r *rig) holds(name string) bool {
	i, err := r.user.Lstat(name)
	return err == nil && i.Kind == fsys.Regular
}

func TestADeviceThatDoesNotAnswerHoldsUpNobodyElse(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		letGo := r.silent(first)
		var all []bep.FileInfo
		var contents []string
		for i := range 1500 {
			content := fmt.Sprintf("small %d", i)
			contents = append(contents, content)
			all = append(all, file(fmt.Sprintf("a/%d", i), content, remote))
		}
		for i := range 80 {
			content := fmt.Sprint(i) + big
			contents = append(contents, content)
			all = append(all, file(fmt.Sprintf("b/%d", i), content, remote))
		}
		r.announce(first, contents, append([]bep.FileInfo{dir("a", remote), dir("b", remote)}, all...)...)
		r.announce(second, []string{"honest", big + "honest"}, file("honest", "honest", remote), file("honest-big", big+"honest", remote))
		r.have("gone", "old")
		r.announce(second, nil, gone("gone", r.newer("gone")))
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		if !until(func() bool { return r.holds("honest") && r.holds("honest-big") && !r.holds("gone") }) {
			t.Error("what the other device has did not arrive")
		}
		r.announce(second, []string{"later"}, file("later", "later", remote))
		r.worker.Refresh()
		if !until(func() bool { return r.holds("later") }) {
			t.Error("what it saved later did not arrive")
		}
		letGo()
		if res := <-done; res.Err != nil || len(res.Failed) > 0 {
			t.Errorf("the round ended with %v, failed %v", res.Err, res.Failed)
		}
		r.pulled()
		for i := range 1500 {
			r.wantFile(fmt.Sprintf("a/%d", i), contents[i])
		}
		for i := range 80 {
			r.wantFile(fmt.Sprintf("b/%d", i), contents[1500+i])
		}
	})
}

func TestABlockThatDoesNotComeIsAskedOfAnotherDevice(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		letGo := r.silent(first)
		files := []bep.FileInfo{file("large", big, remote), file("small", "small", remote)}
		r.announce(first, nil, files...)
		r.announce(second, []string{big, "small"}, files...)
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		if !until(func() bool { return r.holds("large") && r.holds("small") }) {
			t.Error("the files did not arrive from the other device")
		}
		letGo()
		if res := <-done; res.Err != nil || len(res.Failed) > 0 {
			t.Errorf("the round ended with %v, failed %v", res.Err, res.Failed)
		}
		synctest.Wait() // for the answers that nobody wants any more
		r.wantFile("large", big)
		r.wantFile("small", "small")
	})
}

// A connection so slow that every answer takes longer than patience lasts.
func TestFromASlowDeviceEverythingComesInTheEnd(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.source.slow = 3 * time.Second
		var names, contents []string
		for i := range 1200 {
			content := fmt.Sprintf("small %d", i)
			names, contents = append(names, fmt.Sprintf("%d", i)), append(contents, content)
		}
		for i := range 50 {
			content := strings.Repeat(fmt.Sprint(i), len(big))[:len(big)]
			names, contents = append(names, fmt.Sprintf("large %d", i)), append(contents, content)
		}
		files := make([]bep.FileInfo, len(names))
		for i, name := range names {
			files[i] = file(name, contents[i], remote)
		}
		r.announce(first, contents, files...)
		began := time.Now()
		r.pulled()
		for i, name := range names {
			r.wantFile(name, contents[i])
		}
		if took := time.Since(began); took > 5*time.Minute {
			t.Errorf("it took %v", took)
		}
		if n := len(r.source.asked()); n != 1200+50*3 {
			t.Errorf("%d requests for %d blocks", n, 1200+50*3)
		}
	})
}

// A folder that stops does not wait for what waits.
func TestARoundThatIsStoppedLetsGoOfWhatWaits(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		letGo := r.silent(first)
		for i := range 80 {
			content := fmt.Sprint(i) + big
			r.announce(first, []string{content}, file(fmt.Sprint(i), content, remote))
		}
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		<-time.After(5 * time.Second)
		r.worker.Stop()
		letGo()
		if res := <-done; res.Err != nil {
			t.Errorf("the round ended with %v", res.Err)
		}
	})
}
