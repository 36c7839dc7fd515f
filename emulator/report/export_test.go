package report

// CommandFor is [Command] on a system of the caller's choice.
func CommandFor(windows bool, words ...string) string { return command(windows, words) }
