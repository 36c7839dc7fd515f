package control

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// The dashboard knows of the emulator what the control API answers, like any other
// client: what follows only hands out its files.
//
//go:embed dashboard
var dashboard embed.FS

// policy lets the page load what this server has and nothing else. A payload that
// were taken for markup could still run no script, load nothing and send nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// kinds are the content types of the files, which must not depend on what the
// machine's own table says.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// enterDashboard leads to the page, whose links start from the slash. The place is
// relative, so that it holds behind a proxy that adds a prefix.
func (s *server) enterDashboard(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	r.writer.Header().Set("Location", path.Base(Prefix)+"/")
	return answer{status: http.StatusPermanentRedirect, text: []byte{}, kind: kinds[".html"]}, nil
}

func (s *server) showDashboard(r *request) (answer, error) { return file(r, "index.html") }

func (s *server) showDashboardFile(r *request) (answer, error) { return file(r, r.path("file")) }

// file answers with a file of the dashboard. Browsers keep it and ask each time
// whether it is still the same, so that another version is never half the old one.
func file(r *request, name string) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	b, err := fs.ReadFile(dashboard, "dashboard/"+name)
	if kinds[path.Ext(name)] == "" || err != nil {
		return answer{}, fail(http.StatusNotFound, "not-found", "the dashboard has no file "+quoted(name))
	}
	return answer{follow: func() {
		sum := sha256.Sum256(b)
		h := r.writer.Header()
		h.Set("Content-Type", kinds[path.Ext(name)])
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		http.ServeContent(r.writer, r.Request, name, time.Time{}, bytes.NewReader(b))
	}}, nil
}
