// Package check holds the rules that this repository keeps about itself: who
// may import whom, how packages are named, what a Go file may not contain. Its
// test applies every rule to the whole tree, and shows for each rule a small
// tree that breaks it.
//
// Rules read files and parse them; they run no other program, so the test
// cache knows what they depend on.
package check
