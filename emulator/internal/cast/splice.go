package cast

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Splice returns the payload with the value at the path replaced; all other bytes
// stay as they are. The path is keys and, in arrays, indexes from 0, joined by
// dots; keys match as they are written. Payload and value have to be valid JSON.
// A path that hits nothing is an error that says where it leaves the payload.
func Splice(payload []byte, path string, value []byte) ([]byte, error) {
	at := skipSpace(payload, 0)
	walked := 0 // how much of the path has been found
	for element := range strings.SplitSeq(path, ".") {
		next, problem := child(payload, at, element)
		if problem != "" {
			where := "the payload"
			if walked > 0 {
				where = strconv.Quote(path[:walked-1])
			}
			return nil, fmt.Errorf("%s %s", where, problem)
		}
		at = next
		walked += len(element) + 1
	}
	return slices.Concat(payload[:at], value, payload[skipValue(payload, at):]), nil
}

// child returns where the value of an object's key or an array's index starts in
// the object or array at i, or why there is none.
func child(b []byte, i int, element string) (at int, problem string) {
	if i >= len(b) {
		return 0, "is empty"
	}
	switch b[i] {
	case '{':
		for i = skipSpace(b, i+1); i < len(b) && b[i] == '"'; i = skipComma(b, i) {
			end := skipValue(b, i)
			found := end-i >= 2 && string(b[i+1:end-1]) == element
			i = skipSpace(b, skipSpace(b, end)+1) // the colon
			if found && i < len(b) {
				return i, ""
			}
			i = skipValue(b, i)
		}
		return 0, fmt.Sprintf("has no key %q", element)
	case '[':
		n := 0
		for i = skipSpace(b, i+1); i < len(b) && b[i] != ']'; i = skipComma(b, skipValue(b, i)) {
			if strconv.Itoa(n) == element {
				return i, ""
			}
			n++
		}
		return 0, fmt.Sprintf("has %d elements, counted from 0", n)
	default:
		return 0, "is neither an object nor an array"
	}
}

// skipValue returns where the value that starts at i ends, at most len(b).
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			i++
			if depth == 0 {
				// A number, true, false or null ends where something else starts.
				if end := bytes.IndexAny(b[i:], ",]} \t\r\n"); end >= 0 {
					return i + end
				}
				return len(b)
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return len(b)
}

// skipString returns where the string that starts at i ends, at most len(b).
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// skipComma returns where the next member of an object or array starts, if the
// last one ended at i.
func skipComma(b []byte, i int) int {
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ',' {
		i = skipSpace(b, i+1)
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && strings.IndexByte(" \t\r\n", b[i]) >= 0 {
		i++
	}
	return i
}
