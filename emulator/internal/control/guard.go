package control

import (
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// guard lets through what a program on the user's machine or network sends, and
// keeps out what a page in the user's browser could: names that a stranger's DNS
// may point here, other origins, and bodies that a form can send.
func guard(allowed []string, next http.Handler) http.Handler {
	names := make(map[string]bool, len(allowed))
	for _, name := range allowed {
		if host, ok := CanonicalHost(name); ok {
			names[host] = true
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		host, ok := CanonicalHost(r.Host)
		switch {
		case !ok:
			writeError(w, fail(http.StatusForbidden, "host-not-allowed", "the control API does not answer without a Host that is a name or an address"))
		case !ownHost(host) && !names[host]:
			writeError(w, fail(http.StatusForbidden, "host-not-allowed",
				"the control API does not answer under the name "+quoted(host)+"; allow it with --allow-host"))
		case mutates(r) && foreign(r):
			writeError(w, fail(http.StatusForbidden, "cross-origin", "the control API takes no requests from pages of another origin"))
		case mutates(r) && !isJSON(r):
			writeError(w, fail(http.StatusUnsupportedMediaType, "not-json", "send the body as Content-Type: application/json"))
		case !mutates(r) && !arrives(w, r):
			writeError(w, badRequest("the body, which nobody asked for, was not read"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// arrives reads a body that no handler will. What waits or streams has no deadline,
// and net/http would wait in it for the rest of the request.
func arrives(w http.ResponseWriter, r *http.Request) bool {
	if r.Body == nil {
		return true
	}
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, hirempire.MaxBodyBytes))
	return err == nil
}

func mutates(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// foreign reports whether a page of another origin sends the request. Where the
// browser does not say so itself, the origin has to be written as browsers write
// it, which [http.CrossOriginProtection] does not ask for; none writes two.
func foreign(r *http.Request) bool {
	origins, sites := r.Header.Values("Origin"), r.Header.Values("Sec-Fetch-Site")
	if len(origins) > 1 || len(sites) > 1 || new(http.CrossOriginProtection).Check(r) != nil {
		return true
	}
	origin := r.Header.Get("Origin")
	return r.Header.Get("Sec-Fetch-Site") == "" && origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host
}

// isJSON reports whether the body, if there is one, is declared as JSON.
func isJSON(r *http.Request) bool {
	declared := r.Header.Values("Content-Type")
	if len(declared) == 0 || len(declared) == 1 && declared[0] == "" {
		return r.ContentLength == 0
	}
	kind, _, err := mime.ParseMediaType(declared[0])
	return len(declared) == 1 && err == nil && kind == "application/json"
}

// CanonicalHost returns the name or address of a Host header, in lower case,
// without port, brackets and trailing dot; false for what is none.
func CanonicalHost(text string) (string, bool) {
	host, port := text, ""
	switch end := strings.IndexByte(text, ']'); {
	case strings.HasPrefix(text, "[") && end > 0:
		host, port = text[1:end], text[end+1:]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || !isPort(port) {
			return "", false
		}
		return strings.ToLower(host), true
	default:
		if at := strings.IndexByte(text, ':'); at >= 0 {
			host, port = text[:at], text[at:]
		}
	}
	host = strings.TrimSuffix(host, ".")
	if !isPort(port) || len(host) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isLabel(label) {
			return "", false
		}
	}
	return strings.ToLower(host), true
}

// isPort reports whether the text is what may follow a host: nothing, or a colon
// and a port, which may be left out.
func isPort(text string) bool {
	number, colon := strings.CutPrefix(text, ":")
	if !colon || number == "" {
		return text == "" || colon
	}
	_, err := strconv.ParseUint(number, 10, 16)
	return err == nil
}

// isLabel reports whether the text is a part of a name: underscores are in names
// that container runtimes give.
func isLabel(text string) bool {
	if text == "" || len(text) > 63 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// ownHost reports whether no stranger's DNS can make a browser send the host, as
// [CanonicalHost] returns it: addresses, names without a dot, and names that never
// leave the machine or the cluster.
func ownHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.Contains(host, ".") || host == "host.docker.internal" ||
		strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".svc.cluster.local")
}
