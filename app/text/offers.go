package text

// OfferText names a sentence about folders that other devices offer.
type OfferText string

// Sentences about offers, with their values; those in brackets may be lacking.
const (
	OfferNone     OfferText = "none"     //
	OfferFolder   OfferText = "folder"   // device, folder, [n, size]
	OfferMore     OfferText = "more"     // device, folder: it is here already
	OfferRefused  OfferText = "refused"  // device, folder
	OfferAway     OfferText = "away"     // device
	OfferAccept   OfferText = "accept"   // command
	OfferAccepted OfferText = "accepted" // folder, path
	OfferShared   OfferText = "shared"   // folder, path, devices
	OfferRefuse   OfferText = "refuse"   // folder, devices
	OfferAgain    OfferText = "again"    // folder, devices
	OfferSpace    OfferText = "space"    // size, free, path
)

// OfferTexts lists them.
func OfferTexts() []OfferText {
	return []OfferText{
		OfferNone, OfferFolder, OfferMore, OfferRefused, OfferAway, OfferAccept, OfferAccepted, OfferShared, OfferRefuse, OfferAgain, OfferSpace,
	}
}
