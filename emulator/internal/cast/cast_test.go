package cast_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// start is a Friday.
var start = time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)

// A story asks one cast for payloads.
type story struct {
	t    testing.TB
	cast *cast.Cast
}

func tell(t testing.TB, s uint64, run uint64, pinned scenario.Cast) story {
	return story{t, cast.New(cast.Config{Edition: hirempire.DefaultEdition, Seed: seed.Seed(s), Run: run, Pins: pinned})}
}

func (s story) bytes(step scenario.Step) []byte {
	s.t.Helper()
	step.Repeat = 1
	b, err := s.cast.Payload(step, start)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func decode[T any](t testing.TB, b []byte) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

func (s story) job(step scenario.Step) hirempire.Job {
	s.t.Helper()
	if step.Event == "" {
		step.Event = hirempire.JobActivated
	}
	return decode[hirempire.Job](s.t, s.bytes(step))
}

func (s story) applied(step scenario.Step) hirempire.Application {
	s.t.Helper()
	step.Event = hirempire.ApplicantApplied
	return decode[hirempire.Application](s.t, s.bytes(step))
}

func (s story) cv(step scenario.Step) hirempire.CVUpload {
	s.t.Helper()
	step.Event = hirempire.CVUploadCompleted
	return decode[hirempire.CVUpload](s.t, s.bytes(step))
}

func (s story) met(step scenario.Step) hirempire.Meeting {
	s.t.Helper()
	step.Event = hirempire.MeetingBooked
	return decode[hirempire.Meeting](s.t, s.bytes(step))
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, e := range hirempire.Events() {
		got := append(tell(t, 42, 1, scenario.Cast{}).bytes(scenario.Step{Event: e}), '\n')
		file := filepath.Join("testdata", string(e)+".golden")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s\n(go test -update rewrites %s)", e, got, want, file)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	for _, e := range hirempire.Events() {
		step := scenario.Step{Event: e, Job: "backend"}
		one, again := tell(t, 7, 1, scenario.Cast{}).bytes(step), tell(t, 7, 1, scenario.Cast{}).bytes(step)
		if !bytes.Equal(one, again) {
			t.Errorf("%s differs for the same seed:\n%s\n%s", e, one, again)
		}
		if other := tell(t, 8, 1, scenario.Cast{}).bytes(step); bytes.Equal(one, other) {
			t.Errorf("%s is the same for another seed", e)
		}
	}
}

func TestAnotherRunHasTheSamePeopleUnderNewIDs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "lina"} {
		step := scenario.Step{Event: hirempire.ApplicantApplied, Applicant: name}
		one, two := tell(t, 7, 1, scenario.Cast{}).bytes(step), tell(t, 7, 2, scenario.Cast{}).bytes(step)
		a, b := decode[hirempire.Application](t, one), decode[hirempire.Application](t, two)
		if a.Applicant.ID == b.Applicant.ID || a.Job.ID == b.Job.ID || a.Company.ID == b.Company.ID {
			t.Errorf("an id is the same in both runs:\n%s\n%s", one, two)
		}
		for _, id := range [][2]string{{a.Applicant.ID, b.Applicant.ID}, {a.Job.ID, b.Job.ID}, {a.Company.ID, b.Company.ID}} {
			one = bytes.ReplaceAll(one, []byte(id[0]), []byte(id[1]))
		}
		if !bytes.Equal(one, two) {
			t.Errorf("more than the ids differs between runs:\n%s\n%s", one, two)
		}
	}
	one, two := tell(t, 7, 1, scenario.Cast{}).met(scenario.Step{}), tell(t, 7, 2, scenario.Cast{}).met(scenario.Step{})
	if one.Meeting.ID == two.Meeting.ID || one.Meeting.ScheduledAt != two.Meeting.ScheduledAt {
		t.Errorf("meetings of two runs: %+v, %+v", one.Meeting, two.Meeting)
	}
}

// Unnamed applicants and jobs must be numbers, not memory, however many there are.
func TestUnnamedAreNotRemembered(t *testing.T) {
	t.Parallel()
	perform := func(repeat int) int {
		s := tell(t, 1, 1, scenario.Cast{})
		for _, step := range []scenario.Step{
			{Event: hirempire.JobAdded},
			{Event: hirempire.ApplicantApplied, Job: "backend"},
			{Event: hirempire.ApplicantApplied, Job: "backend", Applicant: "lina"},
			{Event: hirempire.CVUploadCompleted, Job: "backend"},
			{Event: hirempire.ApplicantApplied, Job: "backend"},
			{Event: hirempire.MeetingBooked, Job: "backend"},
			{Event: hirempire.MeetingBooked, Job: "backend", Applicant: "lina"},
		} {
			for range repeat {
				s.bytes(step)
			}
		}
		return s.cast.Remembered()
	}
	if few, many := perform(2), perform(3000); few != many {
		t.Errorf("after 2 iterations of each step the cast remembers %d things, after 3000 %d", few, many)
	}
}

// A million on one roster, which is what could grow.
func TestRosterOfAMillion(t *testing.T) {
	t.Parallel()
	if got := cast.RosterOf(1_000_000); got != 1 {
		t.Errorf("a million unnamed applicants take %d segments", got)
	}
}

// Not in parallel with other tests, whose allocations would be counted too.
func TestFakingAllocatesLittle(t *testing.T) {
	const most = 40
	for _, e := range hirempire.Events() {
		for n := range uint64(50) { // each with a job of another kind
			s := tell(t, n, 1, scenario.Cast{})
			step := scenario.Step{Event: e, Repeat: 1}
			if got := testing.AllocsPerRun(50, func() { s.bytes(step) }); got > most {
				t.Errorf("seed %d: faking and encoding one %s allocates %v times, more than %d", n, e, got, most)
			}
		}
	}
}
