package replay

import (
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Exercisable lists everything that a suite can exercise in an edition: the
// events, the documented errors, the faults of deliveries.
func Exercisable(edition hirempire.Edition) []report.Item {
	var items []report.Item
	for _, e := range hirempire.Events() {
		items = append(items, report.Item{Kind: report.EventItem, Name: string(e)})
	}
	for _, row := range hirempire.Errors(edition) {
		items = append(items, report.Item{Kind: report.ErrorItem, Name: string(row.Operation) + " " + row.Code})
	}
	for _, name := range []string{"duplicates", "delay", "shuffle", "drop", "headers"} {
		items = append(items, report.Item{Kind: report.FaultItem, Name: name})
	}
	for _, c := range scenario.Corruptions() {
		items = append(items, report.Item{Kind: report.FaultItem, Name: "corrupt: " + string(c)})
	}
	for _, w := range scenario.Wires() {
		items = append(items, report.Item{Kind: report.FaultItem, Name: "wire: " + string(w)})
	}
	return items
}
