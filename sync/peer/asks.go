package peer

import (
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
)

// How long a device may leave requests unanswered: askPatience since it last
// answered any, and as long as its largest answer takes at slowestRate (bytes
// per second). After maxUnanswered periods without any answer the connection
// ends: such a device answers nothing.
const (
	askPatience   = 60 * time.Second
	slowestRate   = 32 << 10
	maxUnanswered = 3
)

// asks are the requests that the device has to answer.
type asks struct {
	open   map[int32]openAsk
	nextID int32

	answered time.Time // when the last answer came, expected or not
	oldest   time.Time // no open request was made before; exact after a tick
	largest  int32     // size of the largest request since none was open

	unanswered int       // periods that ended since the last answer
	expired    time.Time // when the last of them ended
}

type openAsk struct {
	Ask
	at time.Time
}

// add gives a request an ID that is free.
func (a *asks) add(now time.Time, ask Ask) {
	for {
		if _, taken := a.open[a.nextID]; !taken {
			break
		}
		a.nextID = (a.nextID + 1) & 0x7fffffff
	}
	if len(a.open) == 0 {
		a.oldest, a.largest = now, 0
	}
	a.largest = max(a.largest, ask.Request.Size)
	ask.Request.ID = a.nextID
	a.nextID = (a.nextID + 1) & 0x7fffffff
	a.open[ask.Request.ID] = openAsk{ask, now}
}

// heard notes that an answer came.
func (a *asks) heard(now time.Time) { a.answered, a.unanswered = now, 0 }

// ids lists the open requests in the order of their IDs.
func (a *asks) ids() []int32 {
	ids := make([]int32, 0, len(a.open))
	for id := range a.open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// due gives when a request made at a time expires if no answer comes.
func (a *asks) due(at time.Time) time.Time {
	if at.Before(a.answered) {
		at = a.answered
	}
	return at.Add(askPatience + time.Duration(a.largest)*time.Second/slowestRate)
}

// expire takes out the requests that have waited too long, in the order of
// their IDs.
func (a *asks) expire(now time.Time) []openAsk {
	if len(a.open) == 0 || now.Before(a.due(a.oldest)) {
		return nil
	}
	var out []openAsk
	a.oldest = now
	for _, id := range a.ids() {
		switch ask := a.open[id]; {
		case !now.Before(a.due(ask.at)):
			delete(a.open, id)
			out = append(out, ask)
		case ask.at.Before(a.oldest):
			a.oldest = ask.at
		}
	}
	// Requests that waited side by side are one period.
	if slices.ContainsFunc(out, func(o openAsk) bool { return !o.at.Before(a.expired) }) {
		a.unanswered++
		a.expired = now
	}
	return out
}

func (s *Session) ask(now time.Time, a Ask) {
	s.asks.add(now, a)
	s.send(now, a.Request)
}

func (s *Session) response(now time.Time, m *bep.Response) {
	s.asks.heard(now)
	a, ok := s.asks.open[m.ID]
	if !ok {
		s.emit(Discard{m})
		return
	}
	if int64(len(m.Data)) > int64(a.Request.Size) {
		// Only what was asked for has room set aside (see messageCost).
		s.emit(Discard{m})
		s.drop("protocol error: an answer of %d bytes to a request for %d", len(m.Data), a.Request.Size)
		return
	}
	delete(s.asks.open, m.ID)
	s.emit(Deliver{Ask: a.Ask, Response: m})
}

// errUnanswered is what an Ask gets when its answer does not come.
var errUnanswered = fault.New(fault.Retry, "", "the device did not answer the request in time")

// expireAsks gives up requests that the device leaves unanswered, so that
// whoever waits can ask another one.
func (s *Session) expireAsks(now time.Time) {
	for _, a := range s.asks.expire(now) {
		s.emit(Deliver{Ask: a.Ask, Err: errUnanswered})
	}
	if s.asks.unanswered >= maxUnanswered {
		s.drop("no request was answered in %d periods of %v", maxUnanswered, askPatience)
	}
}

// endAsks fails every open request.
func (s *Session) endAsks(err error) {
	for _, id := range s.asks.ids() {
		s.emit(Deliver{Ask: s.asks.open[id].Ask, Err: fault.Wrap(fault.Retry, "", "ask", s.peer.Short().String(), err)})
	}
	clear(s.asks.open)
}
