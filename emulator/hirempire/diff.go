package hirempire

import (
	"fmt"
	"slices"
)

// A Change is one thing that a client meets differently in a later edition.
type Change struct {
	// About is operations, errors, rules or fields.
	About string `json:"about"`
	// Before and After say how it is in each; empty where it is not there.
	Before string `json:"before"`
	After  string `json:"after"`
}

// Diff lists what changes for a client that goes from one edition to another:
// routes, errors, rules and fields, in this order. Payloads have the same fields
// in every edition; only their ids look different.
func Diff(from, to Edition) []Change {
	changes := diffLines("operations", routeLines(from), routeLines(to))
	changes = append(changes, diffErrors(from, to)...)
	before, after := from.Rules().Describe(), to.Rules().Describe()
	for i := range before {
		if before[i] != after[i] {
			changes = append(changes, Change{before[i].About, before[i].Text, after[i].Text})
		}
	}
	return changes
}

func routeLines(e Edition) []string {
	var lines []string
	for _, r := range Routes(e) {
		lines = append(lines, fmt.Sprintf("%s: %s %s", r.Operation, r.Method, r.Path))
	}
	return lines
}

// diffLines reports the lines that only one side has, those that are gone first.
func diffLines(about string, before, after []string) []Change {
	var changes []Change
	for _, line := range before {
		if !slices.Contains(after, line) {
			changes = append(changes, Change{about, line, ""})
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			changes = append(changes, Change{about, "", line})
		}
	}
	return changes
}

// diffErrors reports the errors that differ in operations that both have.
func diffErrors(from, to Edition) []Change {
	line := func(r ErrorRow) string { return fmt.Sprintf("%s: %d %s", r.Operation, r.Status, r.Message) }
	find := func(rows []ErrorRow, like ErrorRow) (ErrorRow, bool) {
		i := slices.IndexFunc(rows, func(r ErrorRow) bool { return r.Operation == like.Operation && r.Code == like.Code })
		if i < 0 {
			return ErrorRow{}, false
		}
		return rows[i], true
	}
	before, after := Errors(from), Errors(to)
	var changes []Change
	for _, old := range before {
		if now, ok := find(after, old); !ok {
			changes = append(changes, Change{"errors", line(old), ""})
		} else if line(now) != line(old) {
			changes = append(changes, Change{"errors", line(old), line(now)})
		}
	}
	for _, now := range after {
		if _, ok := find(before, now); !ok {
			changes = append(changes, Change{"errors", "", line(now)})
		}
	}
	return changes
}
