package seed_test

import (
	"regexp"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// The draws are part of what “same seed, same bytes” promises to users who keep
// a seed in a bug report: these literals hold across releases and machines.
func TestDrawsAreFixed(t *testing.T) {
	t.Parallel()
	k := seed.Seed(42).Key("applicant").Str("lina").Num(7)
	for _, c := range []struct{ name, got, want string }{
		{"text", k.Text(20), "l5q5j2uo0bw4o1ym34xm"},
		{"id", k.ID("app_"), "app_l5q5j2uo0bw4o1ym34"},
		{"uuid", k.UUID(), "d95888c4-6de6-4711-8c3b-6dc9526cf75d"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	id := regexp.MustCompile(`^comp_[a-z0-9]{18}$`)
	for i := range uint64(1000) {
		k := seed.Seed(i).Key("form")
		if got := k.UUID(); !uuid.MatchString(got) {
			t.Fatalf("seed %d: UUID %s is not of version 4", i, got)
		}
		if got := k.ID("comp_"); !id.MatchString(got) {
			t.Fatalf("seed %d: id %s", i, got)
		}
	}
}

func TestNarrowingSeparates(t *testing.T) {
	t.Parallel()
	seen := map[uint64]string{}
	add := func(name string, k seed.Key) {
		v := k.Rand().Uint64()
		if other, ok := seen[v]; ok {
			t.Errorf("%s and %s draw the same", name, other)
		}
		seen[v] = name
	}
	for s := range seed.Seed(50) {
		for _, kind := range []string{"", "a", "b", "ab", "applicant", "applicants", "12345678", "123456789"} {
			k := s.Key(kind)
			add("key", k)
			for n := range uint64(20) {
				add("num", k.Num(n))
			}
			add("str", k.Str(""))
			add("split", k.Str("a").Str("b"))
			add("joined", k.Str("ab").Str(""))
		}
	}
}
