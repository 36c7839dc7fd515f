package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// output is where text goes that people read. What consumers answer, files hold and
// requests bring is in it: no character that report.Steers a terminal, or turns the
// direction of what follows, gets through, but is written out, in a way that JSON
// also reads. Lines and tabs stay.
//
// Who cannot write to standard output has nobody to work for: a failed write ends
// the command, and commands need not look at each.
type output struct {
	w    io.Writer
	stop context.CancelCauseFunc // nil: for standard error
	// drawing is for terminals, where colours and a line that is drawn again are ours.
	drawing bool
	exact   bool // what programs read gets through as it is

	mu   sync.Mutex
	rest []byte // of a character whose end was not written yet
}

func newOutput(w io.Writer, stop context.CancelCauseFunc) *output {
	file, ok := w.(*os.File)
	return &output{w: w, stop: stop, drawing: ok && term.IsTerminal(int(file.Fd()))}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := p
	if !o.exact {
		text = append(o.rest, p...)
		whole := wholeCharacters(text)
		o.rest = append([]byte(nil), text[whole:]...)
		text = printable(text[:whole], o.drawing)
	}
	_, err := o.w.Write(text)
	if err != nil {
		if o.stop != nil {
			o.stop(&outputError{cause(err)})
		}
		return 0, err
	}
	return len(p), nil
}

// wholeCharacters returns how much of the text ends with a whole character.
func wholeCharacters(text []byte) int {
	for n := len(text) - 1; n >= 0 && n > len(text)-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			if !utf8.FullRune(text[n:]) {
				return n
			}
			break
		}
	}
	return len(text)
}

// exactly returns where bytes go that programs read, such as a payload: to a
// terminal they do not go as they are.
func (a *app) exactly() io.Writer {
	if out, ok := a.stdout.(*output); ok && !out.drawing {
		return &output{w: out.w, stop: out.stop, exact: true}
	}
	return a.stdout
}

// drawn is what we draw with: colours, the beginning of the line, and its end.
var drawn = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\r|\x1b\[[0-9;]*m|\x1b\[0?K)`) })

func printable(text []byte, drawing bool) []byte {
	if utf8.Valid(text) && strings.IndexFunc(string(text), report.Steers) < 0 {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		var own []byte
		if drawing && report.Steers(r) {
			own = drawn().Find(text[:min(len(text), 16)])
		}
		switch {
		case own != nil:
			size = len(own)
			out = append(out, own...)
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, text[0])
		case report.Steers(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}

// oneLined returns a text from elsewhere for a line of ours: it begins no other.
func oneLined(text string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(text)
}
