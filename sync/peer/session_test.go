package peer

import (
	"testing"
	"time"

	"lanyard/sync/bep"
)

func TestIndexExchange(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a device that holds nothing of ours is sent everything, beginning with an Index", `
			configure photos@7:3
			> ClusterConfig photos@7:3
			< ClusterConfig photos@9:0
			! reset photos 9
			! read photos after 0
			! shares photos joined
			page photos 1-2 more
			> Index photos 1-2
			sent photos
			! read photos after 2
			page photos 3
			> IndexUpdate photos 3 after 2
			sent photos`},
		{"a device that holds a part is sent what follows, as IndexUpdates", `
			configure photos@7:5 holds 9:5
			> ClusterConfig photos@7:5 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			page photos 4-5
			> IndexUpdate photos 4-5 after 3
			sent photos`},
		{"a device that holds everything is sent nothing", `
			configure photos@7:5 holds 9:5
			> ClusterConfig photos@7:5 holds 9:5
			< ClusterConfig photos@9:5 holds 7:5
			! read photos after 5
			! shares photos joined
			page photos none`},
		{"a device that holds another life of our index is sent everything", `
			configure photos@7:5 holds 9:5
			> ClusterConfig photos@7:5 holds 9:5
			< ClusterConfig photos@9:5 holds 6:5
			! went back photos 6:5
			! shares photos joined
			changed photos
			configure photos@7:5 holds 9:5
			> ClusterConfig photos@7:5 holds 9:5
			! read photos after 0
			! shares photos joined
			page photos 1-5
			> Index photos 1-5
			sent photos`},
		{"a device that holds sequences we never gave makes us renew our index", `
			configure photos@7:5 holds 9:5
			> ClusterConfig photos@7:5 holds 9:5
			< ClusterConfig photos@9:5 holds 7:6
			! went back photos 7:6
			! shares photos joined
			configure photos@7:5 holds 9:5
			> ClusterConfig photos@7:5 holds 9:5
			! shares photos joined
			configure photos@8:5 holds 9:5
			> ClusterConfig photos@8:5 holds 9:5
			! read photos after 0
			! shares photos joined
			page photos 1-5
			> Index photos 1-5`},
		{"what we announced since we were configured is not more than we gave", `
			configure photos@7:1 holds 9:5
			> ClusterConfig photos@7:1 holds 9:5
			< ClusterConfig photos@9:5 holds 7:1
			! read photos after 1
			! shares photos joined
			page photos 2-4
			> IndexUpdate photos 2-4 after 1
			sent photos
			< ClusterConfig photos@9:5 holds 7:4
			! read photos after 4
			! shares photos joined`},
		{"a folder that we look at is told to us, and nothing of ours is told", `
			configure photos@7:0 looking
			> ClusterConfig photos@7:0 looking
			< ClusterConfig photos@9:5
			! reset photos 9
			! shares photos
			< Index photos 1-5
			! reset photos 9
			! store photos 1-5
			changed photos
			configure
			> ClusterConfig
			! shares photos
			< IndexUpdate photos 6 after 5`},
		{"a device that looks at a folder is sent it, and has not joined it", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@8:0 looking
			! read photos after 0
			! shares nothing
			page photos 1-3
			> Index photos 1-3
			sent photos
			< Index photos 1
			< ClusterConfig
			! shares nothing
			changed photos
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined`},
		{"a new index ID of ours begins the exchange anew", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			page photos none
			configure photos@8:3 holds 9:5
			> ClusterConfig photos@8:3 holds 9:5
			! went back photos 7:3
			! shares photos joined
			configure photos@8:3 holds 9:5
			> ClusterConfig photos@8:3 holds 9:5
			! read photos after 0
			! shares photos joined
			page photos 1-3
			> Index photos 1-3`},
		{"a new index ID of the device's makes us forget what it announced", `
			configure photos@7:0 holds 9:5
			> ClusterConfig photos@7:0 holds 9:5
			< ClusterConfig photos@10:2 holds 7:0
			! reset photos 10
			! read photos after 0
			! shares photos joined
			< Index photos 1-2
			! reset photos 10
			! store photos 1-2`},
		{"a device without an index ID is forgotten each time", `
			configure photos@7:0 holds 9:5
			> ClusterConfig photos@7:0 holds 9:5
			< ClusterConfig photos@0:0 holds 7:0
			! reset photos 0
			! read photos after 0
			! shares photos joined`},
		{"an IndexUpdate adds to what is stored", `
			configure photos@7:0 holds 9:5
			> ClusterConfig photos@7:0 holds 9:5
			< ClusterConfig photos@9:6 holds 7:0
			! read photos after 0
			! shares photos joined
			< IndexUpdate photos 6 after 5
			! store photos 6
			< IndexUpdate photos 7-8 after 6
			! store photos 7-8`},
		{"a ClusterConfig that comes again begins the exchange again", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			< ClusterConfig photos@9:5 holds 7:1
			! shares photos joined
			page photos none
			! read photos after 1
			page photos 2-3
			> IndexUpdate photos 2-3 after 1`},
		{"a folder on hold takes what the device has and sends nothing", `
			configure photos@7:3 hold
			> ClusterConfig photos@7:3
			< ClusterConfig photos@9:2 holds 6:5
			! reset photos 9
			! went back photos 6:5 unmet
			! shares photos joined
			< Index photos 1-2
			! reset photos 9
			! store photos 1-2
			changed photos
			configure photos@7:3 holds 9:2
			> ClusterConfig photos@7:3 holds 9:2
			! read photos after 0
			! shares photos joined
			page photos 1-3
			> Index photos 1-3`},
		{"a folder that is put on hold stops sending, and sends a new index afterwards", `
			configure photos@7:3 holds 9:2
			> ClusterConfig photos@7:3 holds 9:2
			< ClusterConfig photos@9:2 holds 7:1
			! read photos after 1
			! shares photos joined
			configure photos@8:3 hold
			> ClusterConfig photos@8:3
			! reset photos 9
			! went back photos 7:1 unmet
			! shares photos joined
			page photos 2-3
			< ClusterConfig photos@9:2 holds 8:0
			! shares photos joined
			configure photos@8:3 holds 9:2
			> ClusterConfig photos@8:3 holds 9:2
			! read photos after 0
			! shares photos joined`},
		{"a page that was read for an exchange that ended is not sent", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:1
			! read photos after 1
			! shares photos joined
			< ClusterConfig photos@9:5 holds 7:1 paused
			! shares photos stopped
			< ClusterConfig photos@9:5
			! shares photos joined
			page photos 2-3
			! read photos after 0
			page photos 1-3
			> Index photos 1-3`},
		{"a device that has us begin again and again waits for one page at a time", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:1
			! read photos after 1
			! shares photos joined
			page photos 2 more
			> IndexUpdate photos 2 after 1
			< ClusterConfig photos@9:5 holds 7:0
			! shares photos joined
			< ClusterConfig photos@9:5 holds 7:1
			! shares photos joined
			< ClusterConfig photos@9:5 holds 7:2
			! shares photos joined
			sent photos
			! read photos after 2
			page photos 3
			> IndexUpdate photos 3 after 2`},
		{"changes that come one after another are gathered", `
			configure photos@7:1 holds 9:5
			> ClusterConfig photos@7:1 holds 9:5
			< ClusterConfig photos@9:5 holds 7:1
			! read photos after 1
			! shares photos joined
			page photos none
			changed photos
			! read photos after 1
			page photos 2
			> IndexUpdate photos 2 after 1
			changed photos
			sent photos
			changed photos
			+49ms
			+1ms
			! read photos after 2
			page photos 3-4
			> IndexUpdate photos 3-4 after 2`},
		{"a change while a page is on its way is not forgotten", `
			configure photos@7:1 holds 9:5
			> ClusterConfig photos@7:1 holds 9:5
			< ClusterConfig photos@9:5 holds 7:1
			! read photos after 1
			! shares photos joined
			changed photos
			page photos none
			! read photos after 1`},
		{"several folders are exchanged side by side", `
			configure music@8:2 holds 9:0, photos@7:1 holds 9:5
			> ClusterConfig music@8:2 holds 9:0, photos@7:1 holds 9:5
			< ClusterConfig photos@9:5 holds 7:0, music@9:0 holds 8:0
			! read music after 0
			! read photos after 0
			! shares music joined, photos joined
			page photos 1
			> Index photos 1
			page music 1-2
			> Index music 1-2`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { converse(t, tt.script) })
	}
}

func TestSharing(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a folder that only the device shares is an offer and is not announced", `
			configure
			> ClusterConfig
			< ClusterConfig photos@9:5 holds 7:3
			! shares photos`},
		{"a folder that only we share is not announced", `
			configure photos@7:3
			> ClusterConfig photos@7:3
			< ClusterConfig
			! shares nothing
			changed photos`},
		{"a folder that we share later is joined then", `
			configure
			> ClusterConfig
			< ClusterConfig photos@9:5
			! shares photos
			configure photos@7:3
			> ClusterConfig photos@7:3
			! reset photos 9
			! read photos after 0
			! shares photos joined`},
		{"a folder that we stop sharing is not announced any more", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			configure
			> ClusterConfig
			! shares photos
			page photos 4
			changed photos`},
		{"a folder that the device stops sharing is not announced any more", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			< ClusterConfig
			! shares nothing
			page photos 4
			changed photos`},
		{"a folder paused there waits, and goes on from where it was", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3 paused
			! shares photos stopped
			changed photos
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined`},
		{"a folder paused here is told as paused, and goes on from where it was", `
			configure photos@7:3 holds 9:5 paused
			> ClusterConfig photos@7:3 holds 9:5 paused
			< ClusterConfig photos@9:6 holds 7:3
			! shares photos
			< IndexUpdate photos 6 after 5
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			! read photos after 3
			! shares photos joined
			< IndexUpdate photos 6 after 5
			! store photos 6`},
		{"entries that follow ignored ones wait until all are told again", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			configure photos@7:3 holds 9:5 paused
			> ClusterConfig photos@7:3 holds 9:5 paused
			! shares photos
			< IndexUpdate photos 6 after 5
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			! shares photos joined
			< IndexUpdate photos 7 after 6
			< IndexUpdate photos 6-7 after 5
			! store photos 6-7`},
		{"entries of a folder that we just stopped sharing are ignored", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig photos@9:5 holds 7:3
			! read photos after 3
			! shares photos joined
			configure
			> ClusterConfig
			! shares photos
			< IndexUpdate photos 6 after 5`},
		{"entries of a folder that we never shared end the connection", `
			configure photos@7:3
			> ClusterConfig photos@7:3
			< ClusterConfig
			! shares nothing
			< Index diary 1
			! drop protocol error: an index for the folder "diary", which is not shared`},
		{"an extra connection carries requests alone", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig secondary
			< Request 0
			! answer 0
			+60s
			> Ping`},
		{"an extra connection becomes the main one by a ClusterConfig", `
			configure photos@7:3 holds 9:5
			> ClusterConfig photos@7:3 holds 9:5
			< ClusterConfig secondary
			< ClusterConfig photos@9:5 holds 7:1
			! read photos after 1
			! shares photos joined`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { converse(t, tt.script) })
	}
}

func TestAFolderMustListBothDevices(t *testing.T) {
	s := NewSession(ourID, theirID, virtualStart)
	s.Step(virtualStart, Configure{})
	effects := s.Step(virtualStart, Received{clusterConfigWithout(ourID)})
	if len(effects) != 1 {
		t.Fatalf("effects %v, want one Drop", effects)
	}
	if _, ok := effects[0].(Drop); !ok {
		t.Errorf("effect %T, want Drop", effects[0])
	}
}

func TestRequests(t *testing.T) {
	tests := []struct{ name, script string }{
		{"the first request has ID 0, and answers come in any order", `
			< ClusterConfig
			! shares nothing
			ask
			> Request 0
			ask
			> Request 1
			< Response 1
			! deliver 1
			< Response 0
			! deliver 0`},
		{"an answer that nobody waits for is given up", `
			< ClusterConfig
			! shares nothing
			ask
			> Request 0
			< Response 0
			! deliver 0
			< Response 0
			! discard 0
			< Response 5
			! discard 5`},
		{"an answer may be as large as the request", `
			< ClusterConfig
			! shares nothing
			ask 5
			> Request 0
			< Response 0 5
			! deliver 0`},
		{"a larger answer ends the connection, and nobody gets it", `
			< ClusterConfig
			! shares nothing
			ask 5
			> Request 0
			< Response 0 6
			! discard 0
			! drop protocol error: an answer of 6 bytes to a request for 5
			! deliver 0 failed`},
		{"the device's requests are answered", `
			< ClusterConfig
			! shares nothing
			< Request 0
			! answer 0
			< Request 17
			! answer 17`},
		{"the end fails every request, once and in order", `
			< ClusterConfig
			! shares nothing
			ask
			> Request 0
			ask
			> Request 1
			ask
			> Request 2
			< Response 1
			! deliver 1
			end
			! deliver 0 failed
			! deliver 2 failed
			< Response 0
			end
			ask
			! deliver 0 failed`},
		{"a Close fails every request", `
			< ClusterConfig
			! shares nothing
			ask
			> Request 0
			< Close going home
			! drop the device closed the connection: going home
			! deliver 0 failed`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { converse(t, tt.script) })
	}
}

func TestRequestsThatAreNotAnswered(t *testing.T) {
	const begin = `
		< ClusterConfig
		! shares nothing`
	tests := []struct{ name, script string }{
		{"a request that waited for a minute fails, so that another device can be asked", `
			ask
			> Request 0
			+30s
			ask
			> Request 1
			+29s
			+1s
			! deliver 0 failed
			+29s
			> Ping
			+1s
			! deliver 1 failed`},
		{"any answer gives the others another minute", `
			ask
			> Request 0
			ask
			> Request 1
			+50s
			> Ping
			< Response 1
			! deliver 1
			+59s
			> Ping
			+1s
			! deliver 0 failed`},
		{"pings are no answers", `
			ask
			> Request 0
			+44s
			< Ping
			+16s
			! deliver 0 failed
			> Ping`},
		{"a large answer may take its time on a slow line", `
			ask 3276800
			> Request 0
			+44s
			+45s
			> Ping
			+45s
			> Ping
			+25s
			+1s
			! deliver 0 failed`},
		{"an answer that comes too late is given up", `
			ask
			> Request 0
			+60s
			! deliver 0 failed
			> Ping
			< Response 0
			! discard 0`},
		{"a device that answers nothing three times over is given up", `
			ask
			> Request 0
			ask
			> Request 1
			+60s
			! deliver 0 failed
			! deliver 1 failed
			> Ping
			ask
			> Request 2
			+60s
			! deliver 2 failed
			> Ping
			< Ping
			ask
			> Request 3
			+60s
			! deliver 3 failed
			! drop no request was answered in 3 periods of 1m0s`},
		{"an answer forgives earlier silence", `
			ask
			> Request 0
			+60s
			! deliver 0 failed
			> Ping
			ask
			> Request 1
			+60s
			! deliver 1 failed
			> Ping
			ask
			> Request 2
			< Response 1
			! discard 1
			+60s
			! deliver 2 failed
			> Ping`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { converse(t, begin+tt.script) })
	}
}

func TestWakeKnowsWhenARequestHasWaitedTooLong(t *testing.T) {
	now := virtualStart
	s := NewSession(ourID, theirID, now)
	s.Step(now, Received{&bep.ClusterConfig{}})
	s.Step(now, Ask{Request: &bep.Request{}, Deliver: func(*bep.Response, error) {}})
	s.Step(now.Add(44*time.Second), Configure{}) // sends, so that no ping is due
	if got, want := s.Wake(), now.Add(askPatience); !got.Equal(want) {
		t.Errorf("woken at %v, want when the request expires, %v", got, want)
	}
}

func TestLiveness(t *testing.T) {
	tests := []struct{ name, script string }{
		{"the first message is a ClusterConfig or the connection ends", `
			configure
			> ClusterConfig
			< Ping
			! drop protocol error: the first message is a *bep.Ping`},
		{"not even an index may come before", `
			configure photos@7:3
			> ClusterConfig photos@7:3
			< Index photos 1
			! drop protocol error: the first message is a *bep.Index`},
		{"a Close may come first", `
			configure
			> ClusterConfig
			< Close we do not know you
			! drop the device closed the connection: we do not know you`},
		{"a device that never says what it shares is given up after a minute", `
			configure
			> ClusterConfig
			+45s
			> Ping
			+14s
			+1s
			! drop no cluster configuration came for 1m0s`},
		{"we ping after 45 s of saying nothing, and not before", `
			configure
			> ClusterConfig
			< ClusterConfig
			! shares nothing
			+44s
			+1s
			> Ping
			ask
			> Request 0
			+44s
			+1s
			> Ping`},
		{"a device that says nothing for 300 s is given up", `
			configure
			> ClusterConfig
			< ClusterConfig
			! shares nothing
			+299s
			> Ping
			< Ping
			+299s
			> Ping
			+1s
			! drop nothing was heard for 5m0s`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { converse(t, tt.script) })
	}
}

func TestWakeIsNeverLaterThanWhatIsDue(t *testing.T) {
	now := virtualStart
	s := NewSession(ourID, theirID, now)
	s.Step(now, Configure{})
	if got, want := s.Wake(), now.Add(pingAfter); !got.Equal(want) {
		t.Errorf("before anything: %v, want the ping at %v", got, want)
	}
	s.Step(now.Add(40*1e9), Configure{})
	if got, want := s.Wake(), now.Add(configTimeout); !got.Equal(want) {
		t.Errorf("unconfigured: %v, want the end at %v", got, want)
	}
}
