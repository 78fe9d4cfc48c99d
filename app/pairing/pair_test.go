package pairing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

var (
	idA     = device.ID(sha256.Sum256([]byte("a")))
	idB     = device.ID(sha256.Sum256([]byte("b")))
	binding = Binding(sha256.Sum256([]byte("channel")))
	secret  = Secret{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
)

// method is one way to pair: both of its machines. first and second are A and
// B of an invitation, or responder and initiator.
type method struct {
	name string
	make func(t *testing.T, a, b Channel) (first, second Machine)
}

func methods() []method {
	return []method{
		{"invitation", func(t *testing.T, a, b Channel) (Machine, Machine) {
			shower, err := NewShower(a, secret, "Anna's laptop")
			must(t, err)
			taker, err := NewTaker(b, Invitation{ID: b.Peer, Secret: secret}, "Bert\x07s \u202edesk")
			must(t, err)
			return shower, taker
		}},
		{"number", func(t *testing.T, a, b Channel) (Machine, Machine) {
			responder, err := NewResponder(a, "Anna's laptop")
			must(t, err)
			initiator, err := NewInitiator(b, "Bert\x07s \u202edesk")
			must(t, err)
			return responder, initiator
		}},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// side is a device of a test: what it stored and was asked.
type side struct {
	mu        sync.Mutex
	saved     []Save
	questions []Question
	answer    func(Question) Answered // nil: yes
	spend     func() error
	count     func() error
	save      func(Save) error
}

func (s *side) host() Host {
	call := func(f func() error) error {
		if f == nil {
			return nil
		}
		return f()
	}
	return Host{
		Spend: func() error { return call(s.spend) },
		Count: func() error { return call(s.count) },
		Save: func(v Save) error {
			if s.save != nil {
				if err := s.save(v); err != nil {
					return err
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.saved = append(s.saved, v)
			return nil
		},
		Show: s.note,
		Ask: func(_ context.Context, q Question) (Answered, error) {
			s.note(q)
			if s.answer != nil {
				return s.answer(q), nil
			}
			return Answered{Yes: true}, nil
		},
	}
}

func (s *side) note(q Question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.questions = append(s.questions, q)
}

// paired reports whether the device counts the other one as its peer.
func (s *side) paired(id device.ID) bool {
	return slices.ContainsFunc(s.saved, func(v Save) bool { return v.ID == id && !v.Pending })
}

// meet runs two machines against each other.
func meet(t *testing.T, first, second Machine, a, b *side) (errA, errB error) {
	t.Helper()
	connA, connB := net.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { errA = Run(ctx, connA, first, a.host()) })
	wg.Go(func() { errB = Run(ctx, connB, second, b.host()) })
	wg.Wait()
	return errA, errB
}

func ends() (a, b Channel) { return Channel{idA, idB, binding}, Channel{idB, idA, binding} }

func eachMethod(t *testing.T, test func(t *testing.T, m method)) {
	for _, m := range methods() {
		t.Run(m.name, func(t *testing.T) { test(t, m) })
	}
}

func TestBothAgreeAndArePaired(t *testing.T) {
	eachMethod(t, func(t *testing.T, m method) {
		chA, chB := ends()
		first, second := m.make(t, chA, chB)
		a, b := &side{}, &side{}
		errA, errB := meet(t, first, second, a, b)
		if errA != nil || errB != nil {
			t.Fatalf("ended with %v and %v", errA, errB)
		}
		if !a.paired(idB) || !b.paired(idA) {
			t.Errorf("stored %+v and %+v", a.saved, b.saved)
		}
		if !a.saved[0].Pending {
			t.Errorf("the first side stored %+v, want pending before the last word came", a.saved)
		}
		if got := a.saved[0].Name; got != "Berts desk" {
			t.Errorf("the name is %q", got)
		}
		if len(a.questions) != 1 || len(b.questions) != 1 || a.questions[0].Code != b.questions[0].Code {
			t.Errorf("questions %+v and %+v, want the same digits", a.questions, b.questions)
		}
	})
}

func TestNobodyIsStoredWhereOneSideSaysNo(t *testing.T) {
	eachMethod(t, func(t *testing.T, m method) {
		for _, refuses := range []string{"first", "second"} {
			if m.name == "invitation" && refuses == "second" {
				continue // taking an invitation is the yes
			}
			chA, chB := ends()
			first, second := m.make(t, chA, chB)
			a, b := &side{}, &side{}
			no := func(Question) Answered { return Answered{} }
			if refuses == "first" {
				a.answer = no
			} else {
				b.answer = no
			}
			errA, errB := meet(t, first, second, a, b)
			if errA == nil || errB == nil || len(a.saved)+len(b.saved) > 0 {
				t.Errorf("%s refuses: ended with %v and %v, stored %+v and %+v", refuses, errA, errB, a.saved, b.saved)
			}
		}
	})
}

func TestAWrongChoiceAmongCodesIsANo(t *testing.T) {
	chA, chB := ends()
	first, second := methods()[1].make(t, chA, chB)
	a, b := &side{}, &side{}
	b.answer = func(q Question) Answered {
		if len(q.Choices) != 3 || !slices.Contains(q.Choices, q.Code) {
			t.Errorf("choices %q for %q", q.Choices, q.Code)
		}
		i := slices.IndexFunc(q.Choices, func(c string) bool { return c != q.Code })
		return Answered{Yes: true, Code: q.Choices[i]}
	}
	errA, errB := meet(t, first, second, a, b)
	if !Mismatch(errA) || !Mismatch(errB) || len(a.saved)+len(b.saved) > 0 {
		t.Errorf("ended with %v and %v, stored %+v and %+v", errA, errB, a.saved, b.saved)
	}
}

// step is one effect at which a side of a run can be cut off.
func TestARunThatIsCutOffAnywherePairsNobodyHalfway(t *testing.T) {
	eachMethod(t, func(t *testing.T, m method) {
		for cut := 0; ; cut++ {
			chA, chB := ends()
			first, second := m.make(t, chA, chB)
			a, b := &ledger{}, &ledger{}
			whole := exchange(first, second, a, b, cut)
			if a.paired && !b.paired {
				t.Errorf("cut at %d: the first side counts the second as its peer, and not the other way round", cut)
			}
			if b.paired && !a.paired && !a.pending {
				t.Errorf("cut at %d: the second side counts the first as its peer, which has never heard of it", cut)
			}
			if whole {
				if !a.paired || !b.paired {
					t.Error("an uncut run does not pair")
				}
				return
			}
		}
	})
}

// ledger is what a side has stored.
type ledger struct{ pending, paired bool }

// exchange carries out at most limit effects of a run without a host, and
// reports whether it ended before.
func exchange(first, second Machine, a, b *ledger, limit int) bool {
	type todo struct {
		to      Machine
		ledger  *ledger
		effects []Effect
	}
	other := map[Machine]Machine{first: second, second: first}
	books := map[Machine]*ledger{first: a, second: b}
	queue := []todo{{first, a, first.Start()}, {second, b, second.Start()}}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		for _, e := range q.effects {
			if limit--; limit < 0 {
				return false
			}
			m, into := q.to, Event(nil)
			switch e := e.(type) {
			case Send:
				left := maxStream
				msg, err := read(bytes.NewReader(e.Bytes), &left)
				if err != nil {
					panic(err)
				}
				m, into = other[q.to], received{msg}
			case Spend:
				into = Spent{}
			case Count:
				into = Counted{}
			case Ask:
				into = Answered{Yes: true}
			case Save:
				q.ledger.pending, q.ledger.paired = true, q.ledger.paired || !e.Pending
				into = Saved{}
			}
			if into != nil {
				queue = append(queue, todo{m, books[m], m.Step(into)})
			}
		}
	}
	return true
}

func TestNothingPairsAcrossTwoChannels(t *testing.T) {
	// Somebody between two devices has a connection of his own to each, and
	// passes on what they say.
	eachMethod(t, func(t *testing.T, m method) {
		mallory := device.ID(sha256.Sum256([]byte("mallory")))
		chA := Channel{idA, mallory, Binding{1}}
		chB := Channel{idB, mallory, Binding{2}}
		var first, second Machine
		if m.name == "invitation" {
			if _, err := NewTaker(chB, Invitation{ID: idA, Secret: secret}, "b"); err == nil {
				t.Fatal("an invitation of one device is used with another")
			}
			chB.Peer = idA // even so
		}
		first, second = m.make(t, chA, chB)
		a, b := &side{}, &side{}
		answers := map[string]bool{}
		asked := func(q Question) Answered { answers[q.Code] = true; return Answered{Yes: true} }
		var mu sync.Mutex
		a.answer = func(q Question) Answered { mu.Lock(); defer mu.Unlock(); return asked(q) }
		b.answer = a.answer
		errA, errB := meet(t, first, second, a, b)
		if errA == nil || errB == nil || a.paired(mallory) || b.paired(idA) {
			t.Errorf("ended with %v and %v, stored %+v and %+v", errA, errB, a.saved, b.saved)
		}
	})
}

func TestADeviceDoesNotPairWithItself(t *testing.T) {
	self := Channel{idA, idA, binding}
	_, err1 := NewShower(self, secret, "a")
	_, err2 := NewTaker(self, Invitation{ID: idA, Secret: secret}, "a")
	_, err3 := NewInitiator(self, "a")
	_, err4 := NewResponder(self, "a")
	for i, err := range []error{err1, err2, err3, err4} {
		if fault.CodeOf(err) != "pairing-self" {
			t.Errorf("%d: %v, want pairing-self", i, err)
		}
	}
}

func TestWhatIsSentBackIsRefused(t *testing.T) {
	// Each machine against a mirror.
	chA, chB := ends()
	for _, m := range methods() {
		for _, second := range []bool{false, true} {
			machine, other := m.make(t, chA, chB)
			if second {
				machine = other
			}
			t.Run(fmt.Sprint(m.name, " ", second), func(t *testing.T) {
				var out []Effect
				effects := machine.Start()
				if len(effects) == 0 {
					// Somebody else's first message, sent to a machine that waits for one.
					effects = other.Start()
					effects = machine.Step(received{decode(t, effects[0].(Send).Bytes)})
				}
				for i := 0; i < 10 && len(effects) > 0; i++ {
					out = append(out, effects...)
					effects = mirror(t, machine, effects)
				}
				for _, e := range out {
					if s, ok := e.(Save); ok && !s.Pending {
						t.Errorf("a mirror was stored: %+v", s)
					}
				}
			})
		}
	}
}

// mirror answers every effect as a host that agrees, and sends messages back.
func mirror(t *testing.T, m Machine, effects []Effect) (next []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			next = append(next, m.Step(received{decode(t, e.Bytes)})...)
		case Spend:
			next = append(next, m.Step(Spent{})...)
		case Count:
			next = append(next, m.Step(Counted{})...)
		case Ask:
			next = append(next, m.Step(Answered{Yes: true})...)
		case Save:
			next = append(next, m.Step(Saved{})...)
		}
	}
	return next
}

func decode(t *testing.T, b []byte) message {
	t.Helper()
	left := maxStream
	m, err := read(bytes.NewReader(b), &left)
	must(t, err)
	return m
}

func TestAnotherMethodsMessagesHaveNoPlace(t *testing.T) {
	chA, chB := ends()
	shower, _ := methods()[0].make(t, chA, chB)
	responder, initiator := methods()[1].make(t, chA, chB)
	commit := initiator.Start()[0].(Send).Bytes
	if got := endOf(shower.Step(received{decode(t, commit)})); fault.KindOf(got) != fault.Peer {
		t.Errorf("a commitment at an invitation ends with %v", got)
	}
	_, taker := methods()[0].make(t, chA, chB)
	hello := taker.Start()[0].(Send).Bytes
	if got := endOf(responder.Step(received{decode(t, hello)})); fault.KindOf(got) != fault.Peer {
		t.Errorf("a hello at a run by number ends with %v", got)
	}
}

// endOf gives how a run ended, an error of its own where it did not.
func endOf(effects []Effect) error {
	for _, e := range effects {
		if e, ok := e.(Ended); ok {
			return e.Err
		}
	}
	return errors.New("it goes on")
}
