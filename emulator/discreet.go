package emulator

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// discreet is a log handler that shortens tokens, wherever they come from, and
// writes out what its handler might leave as it is and a terminal would obey.
type discreet struct {
	slog.Handler
	shorten func(string) string
}

func (d discreet) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, d.text(r.Message), r.PC)
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, d.attr(a))
		return true
	})
	out.AddAttrs(attrs...)
	return d.Handler.Handle(ctx, out)
}

func (d discreet) WithAttrs(attrs []slog.Attr) slog.Handler {
	own := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		own[i] = d.attr(a)
	}
	return discreet{d.Handler.WithAttrs(own), d.shorten}
}

func (d discreet) WithGroup(name string) slog.Handler {
	return discreet{d.Handler.WithGroup(name), d.shorten}
}

func (d discreet) attr(a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(d.text(v.String()))
	case slog.KindAny:
		a.Value = slog.StringValue(d.text(fmt.Sprint(v.Any())))
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, in := range v.Group() {
			group[i] = d.attr(in)
		}
		a.Value = slog.GroupValue(group...)
	}
	return a
}

func (d discreet) text(text string) string {
	text = d.shorten(text)
	// Both handlers of the standard library escape ASCII.
	steers := func(r rune) bool { return r >= 0x7f && (report.Steers(r) || unicode.Is(unicode.Cf, r)) }
	if strings.IndexFunc(text, steers) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if steers(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
