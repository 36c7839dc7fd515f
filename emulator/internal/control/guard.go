package control

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard lets through what a program on the user's machine or network sends, and
// keeps out what a page in the user's browser could: names that a stranger's DNS
// may point here, other origins, and bodies that a form can send.
func guard(allowed []string, next http.Handler) http.Handler {
	allowed = slices.Clone(allowed) // it is the caller's
	for i, name := range allowed {
		allowed[i] = canonicalHost(name)
	}
	var origins http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		host := canonicalHost(r.Host)
		switch {
		case !ownHost(host) && !slices.Contains(allowed, host):
			writeError(w, fail(http.StatusForbidden, "host-not-allowed",
				"the control API does not answer under the name "+quoted(host)+"; allow it with --allow-host"))
		case origins.Check(r) != nil:
			writeError(w, fail(http.StatusForbidden, "cross-origin", "the control API takes no requests from pages of another origin"))
		case mutates(r) && !isJSON(r):
			writeError(w, fail(http.StatusUnsupportedMediaType, "not-json", "send the body as Content-Type: application/json"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func mutates(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// isJSON reports whether the body, if there is one, is declared as JSON.
func isJSON(r *http.Request) bool {
	declared := r.Header.Get("Content-Type")
	if declared == "" {
		return r.ContentLength == 0
	}
	kind, _, err := mime.ParseMediaType(declared)
	return err == nil && kind == "application/json"
}

// canonicalHost returns the name or address of a Host header, without port,
// brackets and trailing dot, in lower case.
func canonicalHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// ownHost reports whether no stranger's DNS can make a browser send the host:
// addresses, names without a dot, and names that never leave the machine or the
// cluster.
func ownHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if host == "" || strings.ContainsAny(host, "/\\@ ") {
		return false
	}
	return !strings.Contains(host, ".") || host == "host.docker.internal" ||
		strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".svc.cluster.local")
}
