package emulatortest_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

// An application under test, in a word.
type application struct{ http.Handler }

func newApplication() *application { return &application{good()} }

func (a *application) applicants() []string { return []string{"Lina Haddad"} }

// What a test of an application looks like.
func Example() {
	_ = func(t *testing.T) {
		emulator := emulatortest.Start(t)
		app := newApplication()
		emulator.Register(emulator.Serve(app), "applicant_applied")

		emulator.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Lina Haddad"))

		if got := app.applicants(); len(got) != 1 || got[0] != "Lina Haddad" {
			t.Errorf("the applicants are %q", got)
		}
	}
}

// Tests that share an emulator run in parallel, each in a workspace of its own.
func ExampleServer_For() {
	_ = func(t *testing.T) {
		emulator := emulatortest.Start(t)
		for _, event := range []string{"job_added", "job_deleted"} {
			t.Run(event, func(t *testing.T) {
				t.Parallel()
				own := emulator.For(t)
				own.Register(own.Serve(newApplication()))
				own.Trigger(event)
			})
		}
	}
}

// In a bubble nothing takes real time: not ten seconds, and not a consumer that hangs until
// it is given up.
func ExampleInMemory() {
	_ = func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			emulator := emulatortest.Start(t, emulatortest.InMemory(), emulatortest.WithSpeed(1))
			emulator.Register(emulator.Serve(newApplication()))
			emulator.Run(`
version: 1
steps:
  - event: job_added
  - wait: 10s
  - event: job_deleted
`)
		})
	}
}

// Wait for a delivery of a story that goes on by itself.
func ExampleServer_RequireDelivered() {
	_ = func(t *testing.T) {
		emulator := emulatortest.Start(t)
		emulator.Register(emulator.Serve(newApplication()))
		emulator.Run("hiring-happy-path")
		emulator.RequireDelivered("meeting_booked", emulatortest.Field("applicant.name", "Lina Haddad"))
	}
}
