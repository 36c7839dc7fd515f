package hirempire_test

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// The table and the canned bodies say the same, in both directions.
func TestTableAgreesWithFixtures(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		want := map[string]string{} // body by operation/code
		for _, row := range hirempire.Errors(edition) {
			want[path.Join(string(row.Operation), row.Code)] = string((&hirempire.Error{Message: row.Message}).Body())
		}
		dir := path.Join(string(edition), "responses")
		err := fs.WalkDir(fixtures.FS, dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			key := strings.TrimSuffix(strings.TrimPrefix(file, dir+"/"), ".json")
			if path.Base(key) == "success" {
				return nil
			}
			got, err := fs.ReadFile(fixtures.FS, file)
			if err != nil {
				return err
			}
			if string(got) != want[key] {
				t.Errorf("%s is %s, the table says %s", file, got, want[key])
			}
			delete(want, key)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for key := range want {
			t.Errorf("edition %s: %s has no fixture", edition, key)
		}
	}
}

// What the vendor documents, copied here so that a change of the table is seen.
func TestDocumentedErrorsOfCreateWebhook(t *testing.T) {
	t.Parallel()
	type documented struct {
		status  int
		message string
	}
	want := []documented{
		{400, "Invalid token"},
		{403, "Token has been deleted"},
		{401, "Token is expired"},
		{401, "Token is missing required scope"},
		{400, "Input is incorrect."},
		{400, "Field 'request_url' is required and must be a string."},
		{400, "Field 'events' is required and must be an array."},
		{400, "Invalid event: <name>."},
		{401, "You already have an active webhook."},
		{401, "Invalid request url"},
	}
	var got []documented
	for _, row := range hirempire.Errors(hirempire.Edition202602) {
		if row.Operation == hirempire.CreateWebhook {
			got = append(got, documented{row.Status, row.Message})
		}
		if row.When == "" {
			t.Errorf("%s does not say when", row.Code)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// fixture returns the documented success body of an operation.
func fixture(t *testing.T, e hirempire.Edition, op hirempire.Operation) string {
	t.Helper()
	b, err := fs.ReadFile(fixtures.FS, fmt.Sprintf("%s/responses/%s/success.json", e, op))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
