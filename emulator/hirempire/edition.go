package hirempire

import (
	"fmt"
	"slices"
	"strings"
)

// An Edition is one version of the vendor's contract, named after the month in
// which it was documented. Every table of this package is keyed by it.
type Edition string

// Edition202602 is the contract as documented in February 2026.
const Edition202602 Edition = "2026-02"

// DefaultEdition is the edition served where none is chosen.
const DefaultEdition = Edition202602

// Editions lists the editions, oldest first.
func Editions() []Edition { return []Edition{Edition202602} }

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
