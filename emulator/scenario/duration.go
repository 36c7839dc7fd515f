package scenario

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// durationPattern is Go's form without signs and without the dots that only
// Go's reader accepts.
const durationPattern = `([0-9]+(\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+`

var (
	aDuration  = pattern(`^` + durationPattern + `$`)
	oneQuarter = pattern(`^([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)$`)
)

// duration reads a length of time; what names it in a sentence.
func (p *parser) duration(n *yaml.Node, what string) (time.Duration, bool) {
	if kindOf(n) == hirempire.Number {
		if strings.HasPrefix(n.Value, "-") {
			p.errorf(n, "bad-duration", "%s is %s, time does not run backwards; write a duration such as `2s`", what, code(n.Value))
		} else {
			p.errorf(n, "bad-duration", "%s is %s, which has no unit, write `%ss`", what, code(n.Value), n.Value)
		}
		return 0, false
	}
	if kindOf(n) != hirempire.String || isDoubtful(n) {
		p.errorf(n, "wrong-type", "%s must be a duration such as `500ms`, `2s` or `1m30s`, this is %s", what, describe(n))
		return 0, false
	}
	switch text := n.Value; {
	case strings.HasPrefix(text, "-"):
		p.errorf(n, "bad-duration", "%s is %s, time does not run backwards; write a duration such as `2s`", what, code(text))
	case !aDuration().MatchString(text):
		if better := meantDuration(text); better != "" {
			p.errorf(n, "bad-duration", "%s is %s, which is no duration, write `%s`", what, code(text), better)
		} else {
			p.errorf(n, "bad-duration", "%s is %s, which is no duration; write numbers with the units h, m, s or ms, such as `500ms`, `2s` or `1m30s`", what, code(text))
		}
	default:
		d, err := time.ParseDuration(text)
		if err != nil || d > MaxSpan {
			p.errorf(n, "bad-duration", "%s is %s, longer than the 366 days (8784h) that are possible", what, code(text))
			return 0, false
		}
		return d, true
	}
	return 0, false
}

// atMost reads a length of time that has a bound of its own.
func (p *parser) atMost(n *yaml.Node, what string, most time.Duration) (time.Duration, bool) {
	d, ok := p.duration(n, what)
	if ok && d > most {
		p.errorf(n, "bad-duration", "%s is %s, longer than the `%s` that are possible", what, code(n.Value), short(most))
		return 0, false
	}
	return d, ok
}

// short writes whole minutes or hours as people do.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// meantDuration guesses what a number with an unknown unit, or a space, stands
// for.
func meantDuration(text string) string {
	m := oneQuarter().FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || len(m[1]) > 9 {
		return ""
	}
	number, unit := m[1], strings.ToLower(m[2])
	switch unit {
	case "":
		return number + "s"
	case "d", "day", "days":
		d, err := time.ParseDuration(number + "h")
		if err != nil || d*24 > MaxSpan {
			return ""
		}
		return short(d * 24)
	case "h", "hr", "hrs", "hour", "hours":
		return number + "h"
	case "m", "min", "mins", "minute", "minutes":
		return number + "m"
	case "s", "sec", "secs", "second", "seconds":
		return number + "s"
	case "ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds":
		return number + "ms"
	default:
		return ""
	}
}
