// Package pull makes the disk what the global state says, name by name.
//
// A Worker goes through what the index needs, in rounds. For each name it
// looks at the disk, lets plan decide, gathers a file's blocks (from its old
// version, from any local file with the same content, else from connected
// devices), and puts the result in place in batches:
//
//	data durable → looked at once more → renamed → names durable → recorded
//
// in that order, which is the only way anything is written. The record is what
// peers hear of; it is never ahead of the disk.
//
// Nothing is overwritten. A file that gives way is exchanged with its
// successor in one step, so that its name is never empty, and stands then in
// the version store or under the name of a conflict copy; what was exchanged
// out is looked at again, and if a person changed it in the last instant the
// exchange is undone.
//
// Content that has only another name is renamed to it: a file, or a directory
// with all that is in it.
//
// All work on the state of the disk runs on the folder's one Serial, which the
// scanner shares, so that neither sees the other's half-done steps.
package pull
