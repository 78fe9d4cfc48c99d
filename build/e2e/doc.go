// Package e2e holds the acceptance tests: real processes on real files, driven
// only by the command line, beside a real Syncthing where that is installed.
//
// A plain "go test ./..." leaves them out, because they take minutes. They run
// with LANYARD_E2E=1 and LANYARD_BIN naming the program, as build/test.sh does.
// Everything happens on loopback and in temporary directories. The power cuts
// happen to file systems in images, which takes root and loop devices.
//
// LANYARD_E2E_OURS=syncthing puts a second Syncthing where Lanyard would be in
// the interop tests: what fails then is the test's own fault.
package e2e
