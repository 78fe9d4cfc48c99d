package transport

// Admitter is a Conn under limits because its device was unknown when it
// connected: few at a time, small receive windows, and a life of 20 s.
type Admitter interface {
	// Admit lifts the limits. The owner calls it once it has accepted the
	// device, such as after a pairing; further calls do nothing.
	Admit()
}

// Admit lifts the limits on conn where it has any. A device that Options.Known
// named while it connected has none, nor has one that we dialed.
func Admit(conn Conn) {
	if a, ok := conn.(Admitter); ok {
		a.Admit()
	}
}
