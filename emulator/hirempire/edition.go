package hirempire

import (
	"fmt"
	"slices"
	"strings"
)

// An Edition is one version of the vendor's contract, named after the month in
// which it was documented. Every table of this package is keyed by it; a further
// edition is a line in some of them.
type Edition string

// The editions.
const (
	Edition202602 Edition = "2026-02"
	Edition202606 Edition = "2026-06"
)

// DefaultEdition is the edition served where none is chosen.
const DefaultEdition = Edition202602

// Editions lists the editions, oldest first.
func Editions() []Edition { return []Edition{Edition202602, Edition202606} }

// ParseEdition returns the edition of that name; the empty name means
// [DefaultEdition]. The error lists the known names.
func ParseEdition(name string) (Edition, error) {
	if name == "" {
		return DefaultEdition, nil
	}
	if slices.Contains(Editions(), Edition(name)) {
		return Edition(name), nil
	}
	known := make([]string, 0, len(Editions()))
	for _, e := range Editions() {
		known = append(known, string(e))
	}
	return "", fmt.Errorf("unknown edition %q, known: %s", name, strings.Join(known, ", "))
}

// Rules are in what editions differ beside their operations and errors.
type Rules struct {
	// OneActive: a workspace has at most one active webhook (documented).
	OneActive bool
	// ListsUpdatedAt: items of the list have updated_at (documented).
	ListsUpdatedAt bool
	// UUIDs: ids in payloads are UUIDs, and not prefixed as in the examples (our
	// decision: the REST API of the edition requires UUIDs).
	UUIDs bool
}

// Rules returns the rules of the edition.
func (e Edition) Rules() Rules {
	if e == Edition202602 {
		return Rules{OneActive: true}
	}
	return Rules{ListsUpdatedAt: true, UUIDs: true}
}

// A Rule is one of the [Rules] in words.
type Rule struct {
	About string // rules, or fields
	Text  string
}

// Describe says the rules in words, in a fixed order.
func (r Rules) Describe() []Rule {
	choose := func(about string, yes bool, a, b string) Rule {
		if yes {
			return Rule{about, a}
		}
		return Rule{about, b}
	}
	return []Rule{
		choose("rules", r.OneActive, "a workspace has at most one active webhook", "a workspace has any number of active webhooks"),
		choose("fields", r.ListsUpdatedAt, "listed webhooks have updated_at", "listed webhooks have no updated_at"),
		choose("fields", r.UUIDs, "ids in payloads are UUIDs", "ids in payloads are comp_, job_, app_ or mtg_ and 18 of [a-z0-9]"),
	}
}
