// Package tray shows the state of a running engine in the system's tray: an icon
// whose shape says it, a line in words, and a menu that opens the window, pauses
// and ends. What it shows is a pure function of a snapshot. The icon itself is
// there only in programs built with the tag "tray", on a system whose tray they
// can speak to; elsewhere Run does nothing, and the window is found as ever.
package tray
