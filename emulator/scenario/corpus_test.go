package scenario_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

var update = flag.Bool("update", false, "rewrite the expected files")

// corpus returns the stories of a directory of testdata by base name.
func corpus(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no corpus in %s: %v", dir, err)
	}
	stories := make(map[string][]byte)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		stories[filepath.Base(f)] = data
	}
	return stories
}

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", file, got, want)
	}
}

func lines(problems []scenario.Problem) []byte {
	var b bytes.Buffer
	for _, p := range problems {
		b.WriteString(p.String() + " [" + p.Code + "]\n")
	}
	return b.Bytes()
}

// sane checks what holds whatever the input.
func sane(t *testing.T, file string, data []byte, s *scenario.Scenario, problems []scenario.Problem) {
	t.Helper()
	if (s == nil) != scenario.HasErrors(problems) {
		t.Errorf("%s: scenario is nil: %v, there are errors: %v", file, s == nil, scenario.HasErrors(problems))
	}
	text := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	width, measured := 0, 0
	for i, p := range problems {
		if p.Line != measured && p.Line >= 1 && p.Line <= len(text) {
			width, measured = utf8.RuneCountInString(text[p.Line-1]), p.Line
		}
		if p.File != file || p.Line != measured || p.Col < 1 || p.Col > width+1 {
			t.Errorf("%s: the file has no such place: %v", file, p)
		}
		if p.Code == "" || p.Message == "" || strings.ContainsAny(p.String(), "\n\r\x00\x1b") {
			t.Errorf("%s: not a plain sentence with a code: %#v", file, p)
		}
		if i > 0 {
			q := problems[i-1]
			if p.Line < q.Line || p.Line == q.Line && p.Col < q.Col {
				t.Errorf("%s: not in file order: %v, %v", file, q, p)
			}
		}
	}
}

func TestBad(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"bad", "syntax"} {
		for file, data := range corpus(t, dir) {
			t.Run(dir+"/"+file, func(t *testing.T) {
				t.Parallel()
				s, problems := scenario.Parse(file, data)
				sane(t, file, data, s, problems)
				if len(problems) == 0 {
					t.Error("nothing is wrong with it")
				}
				if dir == "syntax" && (len(problems) != 1 || problems[0].Code != "syntax") {
					t.Errorf("a syntax error is one problem, got %v", problems)
				}
				golden(t, filepath.Join("testdata", dir, strings.TrimSuffix(file, ".yaml")+".problems"), lines(problems))
			})
		}
	}
}

// TestBadNames holds the corpus to its own order: a file is named after the code
// that it is about.
func TestBadNames(t *testing.T) {
	t.Parallel()
	for file, data := range corpus(t, "bad") {
		_, problems := scenario.Parse(file, data)
		if !slices.ContainsFunc(problems, func(p scenario.Problem) bool {
			return strings.HasPrefix(strings.TrimSuffix(file, ".yaml")+"-", p.Code+"-")
		}) && file != "many-mistakes.yaml" && file != "aliased-mistake.yaml" {
			t.Errorf("%s is about none of its problems: %v", file, problems)
		}
	}
}

func TestGood(t *testing.T) {
	t.Parallel()
	for file, data := range corpus(t, "good") {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s, problems := scenario.Parse(file, data)
			sane(t, file, data, s, problems)
			if len(problems) > 0 {
				t.Fatalf("problems:\n%s", lines(problems))
			}
			var b bytes.Buffer
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(s); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "good", strings.TrimSuffix(file, ".yaml")+".json"), b.Bytes())
		})
	}
}

// generated are inputs that are too large to keep, by the code that they cause.
func generated() map[string][]byte {
	head := "version: 1\nsteps:\n"
	return map[string][]byte{
		"too-large":         []byte(head + "  - event: job_added\n" + strings.Repeat("#", scenario.MaxBytes)),
		"too-complex":       []byte(head + strings.Repeat("- wait: 2s\n", 70_000)),
		"too-many-problems": []byte(head + strings.Repeat("- wait: 2\n", scenario.MaxProblems+1)),
	}
}

func TestGenerated(t *testing.T) {
	t.Parallel()
	for code, data := range generated() {
		s, problems := scenario.Parse("story.yaml", data)
		sane(t, "story.yaml", data, s, problems)
		if last := problems[len(problems)-1]; last.Code != code {
			t.Errorf("want %s, got %v", code, last)
		}
		if len(problems) > scenario.MaxProblems+1 {
			t.Errorf("%d problems", len(problems))
		}
	}
}

// TestCodes proves that each rule has a file in the corpus and a line in the
// reference, and the other way round.
func TestCodes(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, dir := range []string{"bad", "syntax"} {
		for file, data := range corpus(t, dir) {
			_, problems := scenario.Parse(file, data)
			for _, p := range problems {
				seen[p.Code] = true
			}
		}
	}
	for code := range generated() {
		seen[code] = true
	}

	inCode := make(map[string]bool)
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`"(syntax|tag|[a-z0-9]+(?:-[a-z0-9]+)+)"`)
	for _, f := range sources {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
			inCode[m[1]] = true
		}
	}

	for _, example := range []string{"hiring-happy-path", "sk-other"} {
		delete(inCode, example)
	}

	readme, err := scenarios.FS.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "## Problems")
	documented := make(map[string]bool)
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(cells[1], -1) {
				documented[m[1]] = true
			}
		}
	}

	if a, b := slices.Sorted(maps.Keys(inCode)), slices.Sorted(maps.Keys(seen)); !slices.Equal(a, b) {
		t.Errorf("in the code:\n%v\nin the corpus:\n%v", a, b)
	}
	if a, b := slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(seen)); !slices.Equal(a, b) {
		t.Errorf("in the reference:\n%v\nin the corpus:\n%v", a, b)
	}
}
