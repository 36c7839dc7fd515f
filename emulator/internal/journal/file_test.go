package journal_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// openFile opens a journal on disk that is closed with the test.
func openFile(t *testing.T, name string) (*journal.File, int64) {
	t.Helper()
	f, mended, err := journal.OpenFile(name, func(err error) { t.Errorf("writing failed: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, mended
}

type fileLine struct {
	Seq       uint64
	Call      *struct{ ID string }
	Challenge *struct{ ID string }
	Delivery  *struct {
		ID, Status, Body string
		BodyBase64       []byte `json:"body_base64"`
	}
}

func readLines(t *testing.T, name string) []fileLine {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []fileLine
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		var l fileLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("%v: %s", err, s.Bytes())
		}
		lines = append(lines, l)
	}
	return lines
}

// What is settled is written, once and in that order; what is open is not.
func TestFileHoldsWhatIsSettled(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "journal.jsonl")
	f, _ := openFile(t, name)
	j := journal.New(journal.Limits{})
	j.Mirror(f)
	j.Called(journal.Call{ID: "req_1", AnsweredBy: "success"})
	j.Emitted(journal.Delivery{ID: "dlv_1", Workspace: "a", Body: []byte("<&\n\u2028>")})
	j.Emitted(journal.Delivery{ID: "dlv_2", Workspace: "a", Body: []byte("\xff")})
	j.Challenged(journal.Challenge{ID: "chl_1", Workspace: "a"})
	j.Finished("a", "dlv_2", journal.Failed.With(journal.Timeout), "")
	j.Reset("a") // what was written stays written
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	j.Called(journal.Call{ID: "req_2"}) // too late
	got := readLines(t, name)
	if len(got) != 3 || got[0].Call == nil || got[0].Call.ID != "req_1" || got[1].Challenge == nil || got[2].Delivery == nil {
		t.Fatalf("the lines are %+v", got)
	}
	if d := got[2].Delivery; d.ID != "dlv_2" || d.Status != "failed(timeout)" || string(d.BodyBase64) != "\xff" {
		t.Errorf("the delivery is %+v", d)
	}
}

func TestTornLastLineIsRemoved(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200<<10)
	for name, c := range map[string]struct {
		before, after string
	}{
		"empty":            {"", ""},
		"whole":            {"{\"seq\":1}\n", "{\"seq\":1}\n"},
		"torn":             {"{\"seq\":1}\n{\"se", "{\"seq\":1}\n"},
		"nothing but torn": {"{\"se", ""},
		"a long torn line": {"{\"seq\":1}\n" + long, "{\"seq\":1}\n"},
		"a long first":     {long + "\n{", long + "\n"},
		"all long torn":    {long, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "journal.jsonl")
			if err := os.WriteFile(file, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			f, mended := openFile(t, file)
			if want := int64(len(c.before) - len(c.after)); mended != want {
				t.Errorf("%d bytes were removed, want %d", mended, want)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != c.after {
				t.Errorf("%d bytes are left, want %d; %v", len(got), len(c.after), err)
			}
		})
	}
}

func TestFileThatCannotBeOpenedOrWritten(t *testing.T) {
	t.Parallel()
	if _, _, err := journal.OpenFile(t.TempDir(), nil); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("writing cannot be made to fail here: there is no /dev/full")
	}
	var failed []error
	f, _, err := journal.OpenFile("/dev/full", func(err error) { failed = append(failed, err) })
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(journal.Limits{})
	j.Mirror(f)
	j.Called(journal.Call{ID: "req_1", AnsweredBy: "success"})
	j.Called(journal.Call{ID: "req_2", AnsweredBy: "success"})
	if len(failed) != 1 {
		t.Errorf("told %d times: %v", len(failed), failed)
	}
	if err := f.Close(); err == nil || !errors.Is(err, failed[0]) {
		t.Errorf("Close said %v", err)
	}
	if calls, _ := j.Calls(journal.CallFilter{}, 0, 10); len(calls) != 2 {
		t.Errorf("the journal in memory has %d calls", len(calls))
	}
}
