// Package scenarios holds the stories that ship with the emulator, the
// reference of the language they are written in, and its JSON Schema.
//
// Nothing here reads them: that is what the scenario package does.
package scenarios

import (
	"embed"
	"slices"
	"strings"
)

// FS holds every story, README.md and scenario.schema.json.
//
//go:embed *.yaml README.md scenario.schema.json
var FS embed.FS

// Names lists the stories, sorted; a story's file is its name with ".yaml".
func Names() []string {
	entries, err := FS.ReadDir(".")
	if err != nil {
		panic(err) // the root of an embedded file system can be read
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
