package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// screen is what standard output can do: nothing but lines, unless it is a
// terminal.
type screen struct {
	w       io.Writer
	live    bool // a line can be drawn again
	style   report.Style
	columns func() int
}

func (a *app) screen() screen {
	s := screen{w: a.stdout}
	out, ok := a.stdout.(*output)
	if !ok {
		return s
	}
	file, ok := out.w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || a.getenv("TERM") == "dumb" || !understandsEscapes(file) {
		return s
	}
	s.live = true
	if a.getenv("NO_COLOR") == "" {
		s.style = report.Colour
	}
	s.columns = func() int {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
		return 80
	}
	return s
}
