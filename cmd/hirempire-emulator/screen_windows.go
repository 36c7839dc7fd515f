package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsEscapes makes a console read escape sequences, and reports whether it
// can.
func understandsEscapes(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	return windows.GetConsoleMode(console, &mode) == nil &&
		windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
