package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

const (
	redraw = 100 * time.Millisecond
	// rateOver is the time that the rate is an average of.
	rateOver = 3 * time.Second
	// whole is how many parts the bar has. It never gets to its end, where it would
	// vanish: a run is over when it is.
	whole    = 1000
	barWidth = 16
)

// live is the line on a terminal that tells how a story gets on. One goroutine
// draws it; the run only leaves word.
type live struct {
	screen screen
	bar    *progressbar.ProgressBar
	drawn  bytes.Buffer // by the bar, and not yet on the screen
	cancel context.CancelFunc
	done   chan struct{}

	mu        sync.Mutex
	story     []scenario.Step
	step      int // from 1
	what      string
	expected  int // deliveries of the story
	ended     int
	failed    int
	latencies report.Latencies
	marks     []mark // of the last rateOver
}

// mark is how many deliveries had ended when.
type mark struct {
	at    time.Time
	ended int
}

// watch draws the line until it is stopped.
func watch(s screen, of story) *live {
	ctx, cancel := context.WithCancel(context.Background())
	l := newLive(s, of)
	l.cancel = cancel
	clock := emulator.RealClock()
	go func() {
		defer close(l.done)
		for l.draw(clock.Now()); clock.Sleep(ctx, redraw) == nil; {
			l.draw(clock.Now())
		}
	}()
	return l
}

// newLive returns a line that nobody draws yet.
func newLive(s screen, of story) *live {
	l := &live{screen: s, story: of.Steps, expected: of.Deliveries(), done: make(chan struct{})}
	l.bar = progressbar.NewOptions(whole,
		progressbar.OptionSetWriter(&l.drawn), progressbar.OptionUseANSICodes(true), progressbar.OptionSetWidth(barWidth),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
	)
	return l
}

// stop clears the line and returns when nothing draws any more.
func (l *live) stop() {
	l.cancel()
	<-l.done
	_, _ = l.screen.w.Write([]byte("\r\x1b[K"))
}

func (l *live) stepped(i int, step scenario.Step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.step, l.what = i+1, oneLine(step.String())
}

func (l *live) settled(d emulator.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended++
	if d.Status.Word() != emulator.Delivered && !d.Planned() && !l.wanted(d) {
		l.failed++
	}
	for _, a := range d.Attempts {
		if a.Status != 0 {
			l.latencies.Add(a.Took)
		}
	}
}

// wanted reports whether the step of a delivery expects such an answer.
func (l *live) wanted(d emulator.Delivery) bool {
	if d.Step < 1 || d.Step > len(l.story) || len(d.Attempts) == 0 {
		return false
	}
	e := l.story[d.Step-1].Expect
	return e != nil && e.Status != nil && e.Expects(d.Attempts[len(d.Attempts)-1].Status)
}

// draw draws the line with one write, so that it does not flicker.
func (l *live) draw(now time.Time) {
	text, share := l.line(now)
	l.drawn.Reset()
	columns := l.screen.columns()
	// Around the bar are 9 columns; the last one stays free, or some terminals begin a
	// new line.
	l.bar.Describe(cutTo(text, max(0, columns-barWidth-10)))
	_ = l.bar.Set(share) // which may draw it again
	line := l.drawn.Bytes()
	if columns < barWidth+20 {
		line = []byte("\r" + cutTo(text, columns-1) + "\x1b[K")
	}
	_, _ = l.screen.w.Write(line[max(0, bytes.LastIndexByte(line, '\r')):])
}

// line returns what stands beside the bar, and how far the bar is.
func (l *live) line(now time.Time) (text string, share int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, mark{now, l.ended})
	for len(l.marks) > 2 && now.Sub(l.marks[1].at) > rateOver {
		l.marks = l.marks[1:]
	}
	words := []string{fmt.Sprintf("%d/%d", l.step, len(l.story))}
	if oldest := l.marks[0]; now.After(oldest.at) && l.ended > 0 {
		words = append(words, fmt.Sprintf("%.0f/s", float64(l.ended-oldest.ended)/now.Sub(oldest.at).Seconds()))
	}
	if s := l.latencies.Summary(); s.Count > 0 {
		words = append(words, fmt.Sprintf("p50 %s  p99 %s", report.Round(s.P50), report.Round(s.P99)))
	}
	words = append(words, fmt.Sprintf("%d failed", l.failed), l.what)
	if l.expected > 0 {
		share = whole * l.ended / l.expected
	} else {
		share = whole * l.step / (len(l.story) + 1)
	}
	return strings.Join(words, "  "), min(share, whole-1)
}

// oneLine leaves out what could steer the terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, text)
}

// cutTo cuts a text to so many columns.
func cutTo(text string, columns int) string {
	if uniseg.StringWidth(text) <= columns {
		return text
	}
	var b strings.Builder
	for g := uniseg.NewGraphemes(text); g.Next() && uniseg.StringWidth(b.String())+g.Width() < columns; {
		b.WriteString(g.Str())
	}
	if columns > 0 {
		b.WriteString("…")
	}
	return b.String()
}
