//go:build !windows

package main

import "os"

// understandsEscapes reports whether a terminal reads escape sequences; all but
// those that say they are dumb do.
func understandsEscapes(*os.File) bool { return true }
