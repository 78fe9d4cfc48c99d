package node

import (
	"context"
	"slices"

	"lanyard/discovery/doctor"
	"lanyard/sync/status"
	"lanyard/sync/transport"
)

// Symptom is something that keeps devices from finding each other.
type Symptom struct {
	Check     string // that found it
	Interface string // network interface, "" for all
	Problem   status.Problem
}

// Checks lists the checks that Examine makes.
func Checks() []string {
	var out []string
	for _, c := range doctor.Checks() {
		out = append(out, string(c))
	}
	return out
}

// Examine tries what devices find each other by, on every network interface, and
// gives the checks that were made and what they found. running says that an engine
// runs on this home: the port for connections is then its own, and is not looked
// at. It takes some seconds, and the end of ctx cuts it short.
func Examine(ctx context.Context, running bool) (checks []string, found []Symptom) {
	o, checks := doctor.Options{Port: transport.DefaultPort}, Checks()
	if running {
		o.Port = 0
		checks = slices.DeleteFunc(checks, func(c string) bool { return c == string(doctor.Port) })
	}
	for _, f := range doctor.Examine(ctx, o) {
		found = append(found, Symptom{string(f.Check), f.Interface, problem(f.Err)})
	}
	return checks, found
}
