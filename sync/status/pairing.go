package status

import "time"

// Pairing is what goes on between this device and those that are not its peers
// yet. It holds no secret: an invitation's link is given to whoever opened it,
// and to nobody else.
type Pairing struct {
	// Open: devices nearby are shown this one's name, and may ask to compare
	// numbers.
	Open       bool            `json:"open"`
	Invitation *OpenInvitation `json:"invitation"`
	Nearby     []Neighbour     `json:"nearby"`
	Runs       []PairingRun    `json:"runs"`     // the oldest first; those that ended stay for a minute
	Requests   []PairingAsked  `json:"requests"` // devices that asked to connect, the newest first
}

// InvitationState is what has become of an invitation.
type InvitationState string

// The states of an invitation.
const (
	InvitationOpen    InvitationState = "open"
	InvitationUsed    InvitationState = "used"
	InvitationExpired InvitationState = "expired"
)

// OpenInvitation is the one that is open, or was last.
type OpenInvitation struct {
	ID      string          `json:"id"` // stands for it; says nothing of its secret
	Expires time.Time       `json:"expires"`
	State   InvitationState `json:"state" enum:"open,used,expired"`
}

// Neighbour is a device nearby whose person wants to connect one.
type Neighbour struct {
	Key  string `json:"key"`  // names it while it is there
	Name string `json:"name"` // its own word
	// ID is there where the device tells it to its network, as a Syncthing does.
	ID string `json:"id"`
	// SameName: a device that is connected already has this name, and another ID.
	SameName bool `json:"same_name"`
}

// PairingState is how far a run has come.
type PairingState string

// The states of a run.
const (
	PairingBegins PairingState = "connecting"
	PairingAsks   PairingState = "asking"  // our person has to answer
	PairingWaits  PairingState = "waiting" // for the other side
	PairingDone   PairingState = "connected"
	PairingFailed PairingState = "failed"
)

// PairingMethod is how two devices came to trust each other.
type PairingMethod string

// The methods.
const (
	ByCode    PairingMethod = "code"    // an invitation, shown here and taken there
	ByPicture PairingMethod = "picture" // an invitation of the other device, taken here from a picture of its code
	ByLink    PairingMethod = "link"    // likewise from its link
	ByNumber  PairingMethod = "number"  // both compared six digits
	ByID      PairingMethod = "id"      // a person typed or pasted the ID: one side alone
	ByRequest PairingMethod = "request" // it asked to connect, and a person agreed: one side alone
)

// PairingRun is one act of pairing with one device.
type PairingRun struct {
	ID         string        `json:"id"` // for answering
	Method     PairingMethod `json:"method" enum:"code,number"`
	Began      bool          `json:"began"`      // here: this device took the invitation or chose the other one
	Invitation string        `json:"invitation"` // ID of ours that it used, may be empty
	State      PairingState  `json:"state" enum:"connecting,asking,waiting,connected,failed"`
	Device     string        `json:"device"` // ID, empty until it is known
	Name       string        `json:"name"`   // the device's own word, empty until it is known
	SameName   bool          `json:"same_name"`
	// Digits are shown on both sides: "123 456".
	Digits string `json:"digits"`
	// Choices are three of which one is right, where choosing is offered.
	Choices []string  `json:"choices"`
	Problem *Problem  `json:"problem"` // of a run that failed
	Since   time.Time `json:"since"`
}

// PairingAsked is a device that asked to connect by its ID alone.
type PairingAsked struct {
	ID      string    `json:"id"` // for answering
	Device  string    `json:"device"`
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Time    time.Time `json:"time"`
}
