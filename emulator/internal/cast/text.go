package cast

import "strconv"

// A text is put together from parts; each method returns it with more behind it.
// Made with a constant capacity it is on the stack, so that nothing is allocated
// but the string it becomes; longer ones still fit.
type text []byte

func (t text) say(parts ...string) text {
	for _, part := range parts {
		t = append(t, part...)
	}
	return t
}

// number says a number without an exponent.
func (t text) number(n float64) text { return strconv.AppendFloat(t, n, 'f', -1, 64) }

// years says years of experience.
func (t text) years(n float64) text {
	t = t.number(n).say(" year")
	if n != 1 {
		t = t.say("s")
	}
	return t
}
