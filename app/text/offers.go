package text

// OfferText names a sentence about folders: those that other devices offer, and
// what is done with ours.
type OfferText string

// Sentences about offers, with their values; those in brackets may be lacking.
const (
	OfferNone     OfferText = "none"     //
	OfferHidden   OfferText = "hidden"   // n, command
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

	// What commands about folders and files say besides.
	FolderMade OfferText = "made"        // path
	NoVersions OfferText = "no-versions" // path, folder

	// What joining would do.
	PreviewSame    OfferText = "preview-same"    // n, size
	PreviewThere   OfferText = "preview-there"   // n, size
	PreviewHere    OfferText = "preview-here"    // n, size
	PreviewDiffer  OfferText = "preview-differ"  // n
	PreviewChoose  OfferText = "preview-choose"  // command
	PreviewMore    OfferText = "preview-more"    // n
	PreviewSkipped OfferText = "preview-skipped" // n
	PreviewBytes   OfferText = "preview-bytes"   // size, need
	PreviewPart    OfferText = "preview-part"    //
)

// OfferTexts lists them.
func OfferTexts() []OfferText {
	return []OfferText{
		OfferNone, OfferHidden, OfferFolder, OfferMore, OfferRefused, OfferAway, OfferAccept, OfferAccepted, OfferShared, OfferRefuse, OfferAgain, OfferSpace, FolderMade, NoVersions,
		PreviewSame, PreviewThere, PreviewHere, PreviewDiffer, PreviewChoose, PreviewMore, PreviewSkipped, PreviewBytes, PreviewPart,
	}
}
