package text

import "time"

// PairText names a sentence about connecting devices.
type PairText string

// Sentences about connecting devices, with their values; those in brackets may
// be absent.
const (
	PairNobody     PairText = "nobody"
	PairScan       PairText = "scan"
	PairLasts      PairText = "lasts"   // time
	PairConnect    PairText = "connect" // device, [address]
	PairWaits      PairText = "waits"   // device, digits
	PairAsks       PairText = "asks"    // device
	PairSame       PairText = "same"
	PairSameName   PairText = "same-name" // name
	PairMaybeSame  PairText = "may-be-same"
	PairDone       PairText = "done" // device
	PairFailed     PairText = "failed"
	PairExpired    PairText = "expired"
	PairLeft       PairText = "left"
	PairSyncthing  PairText = "syncthing" // device, id
	PairNoneNearby PairText = "none-nearby"
	PairPaneOpen   PairText = "pane-open"
	PairCompare    PairText = "compare" // digits
	PairRequest    PairText = "request" // [address]
	PairNothing    PairText = "nothing"
	PairOneSided   PairText = "one-sided" // device, self, group
	PairRemoved    PairText = "removed"   // time
	PairFresh      PairText = "fresh"
	PairAwait      PairText = "await"
)

// PairTexts lists them.
func PairTexts() []PairText {
	return []PairText{
		PairNobody, PairScan, PairLasts, PairConnect, PairWaits, PairAsks, PairSame, PairSameName, PairMaybeSame, PairDone, PairFailed, PairExpired, PairLeft, PairSyncthing, PairNoneNearby, PairPaneOpen, PairCompare, PairRequest, PairNothing, PairOneSided, PairRemoved, PairFresh, PairAwait,
	}
}

// SayPair gives a sentence about connecting devices, with what is lacking left
// out.
func (c *Catalogue) SayPair(t PairText, params map[string]string) string {
	s, _ := filler{params: params, language: c.Language, now: time.Now()}.fill(c.Pair[t])
	return s
}
