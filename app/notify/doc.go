// Package notify decides what a person is told by the system's notifications
// while no page of Lanyard is before them: a question that waits for them, a file
// with two versions, deletions that are held, a long transfer that is done, and
// what needs them otherwise. Nothing else is told, and in sync is not.
//
// What is new is gathered for a moment, so that a burst is one notification;
// another of its kind comes a minute later at the earliest, and three times in an
// hour at most. What was told is remembered, also over a restart, and is not told
// again while it lasts. All that is decided by pure functions of snapshots and of
// the time; how a notification reaches the screen is behind Sender, which exists
// in programs built with the tag "tray".
package notify
