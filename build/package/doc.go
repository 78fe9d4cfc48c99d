// Package packages holds the tests of what make package builds. A plain "go test
// ./..." leaves them out: they run with LANYARD_PACKAGES naming the directory of
// the packages, as build/test.sh does.
package packages
