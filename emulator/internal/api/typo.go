package api

import (
	"path"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// nearestPath returns the path of the edition that an unknown one is probably a
// misspelling of, "" if there is none: the same but for case, slashes, the
// version before it and a plural.
func nearestPath(e hirempire.Edition, unknown string) string {
	plain := func(p string) string {
		p = strings.TrimPrefix(path.Clean("/"+strings.ToLower(p)), "/v1")
		return strings.TrimSuffix(strings.NewReplacer("_", "", "-", "", "%2d", "").Replace(p), "s")
	}
	for _, route := range hirempire.Routes(e) {
		if plain(route.Path) == plain(unknown) {
			return route.Path
		}
	}
	for _, other := range hirempire.Editions() {
		for _, route := range hirempire.Routes(other) {
			if route.Path == unknown {
				return route.Path + " of edition " + string(other)
			}
		}
	}
	return ""
}
