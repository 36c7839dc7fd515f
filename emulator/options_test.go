package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// Headers that cannot be written are refused before anything is sent.
func TestHeadersThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header http.Header
		want   string
	}{
		{nil, ""},
		{http.Header{"X-Gateway-Key": {"secret", ""}}, ""},
		{http.Header{"X Key": {"v"}}, `"X Key" is not the name of a header`},
		{http.Header{"": {"v"}}, `"" is not the name of a header`},
		{http.Header{"X-Key": {"good", "a\r\nX-More: b"}}, "the header X-Key has a value that cannot be written"},
		{http.Header{"X-Key": {"a\x00b"}}, "the header X-Key has a value that cannot be written"},
	} {
		e, err := emulator.New(emulator.Options{Header: c.header})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("New with %q: %v", c.header, err)
		}
		if err == nil {
			_ = e.Shutdown(t.Context())
		}
		_, err = emulator.Check(t.Context(), emulator.CheckOptions{URL: "http://127.0.0.1:1/", Header: c.header})
		if err == nil || c.want != "" && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check with %q: %v", c.header, err)
		}
	}
}
