package emulator_test

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// Every fixture is a sample, once, with what the tables say about it.
func TestSamplesAreTheFixtures(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		samples, err := emulator.Samples(edition)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		err = fs.WalkDir(fixtures.FS, string(edition), func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				want = append(want, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			got = append(got, s.Path)
			body, err := fs.ReadFile(fixtures.FS, s.Path)
			if err != nil || string(s.Body) != string(body) || s.Edition != edition || s.When == "" {
				t.Errorf("%+v: %v", s, err)
			}
			name := path.Base(path.Dir(s.Path)) + "/" + path.Base(s.Path)
			switch {
			case s.Event != "":
				if name != "payloads/"+string(s.Event)+".json" || s.Status != 0 || s.When != s.Event.Fires() {
					t.Errorf("%+v", s)
				}
			case s.Code != "":
				row, ok := hirempire.FindError(edition, s.Operation, s.Code)
				if !ok || name != string(s.Operation)+"/"+s.Code+".json" || s.Status != row.Status || string(s.Body) != string(row.Body()) {
					t.Errorf("%+v is no row such as %v", s, row)
				}
			case s.Operation != "":
				if name != string(s.Operation)+"/success.json" || s.Status != 200 {
					t.Errorf("%+v", s)
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("samples %q\nfixtures %q", got, want)
		}
	}
	if _, err := emulator.Samples("2027-01"); err == nil {
		t.Error("an unknown edition has samples")
	}
	if samples, err := emulator.Samples(""); err != nil || samples[0].Edition != hirempire.DefaultEdition {
		t.Errorf("no edition: %v", err)
	}
}

// The challenge among the fixtures is what the emulator would send with that value,
// and the answer gives that value back.
func TestSampleOfTheChallenge(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		const value = "a1b2c3d4e5f6g7h8i9j0"
		for file, want := range map[string]string{
			"request.json": string(hirempire.Marshal(hirempire.NewChallenge(value))),
			"answer.json":  `{"challenge":"` + value + `"}`,
		} {
			if got, err := fs.ReadFile(fixtures.FS, string(edition)+"/challenge/"+file); err != nil || string(got) != want {
				t.Errorf("%s %s is %s, want %s, %v", edition, file, got, want, err)
			}
		}
	}
}
