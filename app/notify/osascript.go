package notify

// The lines of a script for macOS that shows its arguments. What is said is never
// part of a script.
var scriptLines = []string{"on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"}

// scriptArgs gives the arguments with which osascript shows a notification. The
// title, which is a sentence of ours, comes first: what stands after it is no
// option, whatever it begins with.
func scriptArgs(n Notification) []string {
	var args []string
	for _, line := range scriptLines {
		args = append(args, "-e", line)
	}
	return append(args, n.Title, n.Body)
}
