package emulator_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hirempire-emulator/hirempire-emulator"

// The floors of the house, lowest first: a room imports only from lower floors.
var floors = [][]string{
	{"fixtures", "scenarios"},
	{"emulator/hirempire"},
	{"emulator/report", "emulator/scenario", "emulator/internal/seed", "emulator/internal/clock"},
	{"emulator/internal/cast", "emulator/internal/workspace", "emulator/internal/journal"},
	{"emulator/internal/deliver"},
	{"emulator/internal/registration"},
	{"emulator/internal/replay"},
	{"emulator/internal/api", "emulator/internal/control", "emulator/internal/consumer", "emulator/internal/check", "emulator/internal/ca"},
	{"emulator"},
	{"emulator/client"},
	{"emulator/emulatortest"},
	{"cmd/hirempire-emulator"},
}

// Which rooms alone may import a package.
var reserved = map[string][]string{
	"gopkg.in/yaml.v3":                               {"emulator/scenario", "fixtures"},
	"github.com/brianvoe/gofakeit/v7":                {"emulator/internal/cast"},
	"github.com/gorilla/mux":                         {"emulator/internal/api", "emulator/internal/control"},
	"github.com/spf13/cobra":                         {"cmd/hirempire-emulator"},
	"github.com/schollz/progressbar/v3":              {"cmd/hirempire-emulator"},
	"golang.org/x/term":                              {"cmd/hirempire-emulator"},
	"math/rand/v2":                                   {"emulator/internal/seed", "emulator/internal/cast"},
	"math/rand":                                      {},
	"crypto/rand":                                    {"emulator/internal/seed", "emulator/internal/ca"},
	"github.com/HdrHistogram/hdrhistogram-go":        {"emulator/report"},
	"github.com/prometheus/client_golang/prometheus": {"emulator/internal/control"},
}

// What only one room may call: the clock.
var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestRoomsImportDownwards(t *testing.T) {
	t.Parallel()
	floor := map[string]int{}
	for i, rooms := range floors {
		for _, room := range rooms {
			floor[room] = i
		}
	}
	seen := map[string]bool{}
	eachFile(t, func(room, name string, file *ast.File) {
		seen[room] = true
		here, known := floor[room]
		if !known {
			t.Errorf("%s: the room %s is on no floor; add it here and to doc.go", name, room)
			return
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if rooms, ok := reserved[imported]; ok && !slices.Contains(rooms, room) {
				t.Errorf("%s imports %s, which only %v may", name, imported, rooms)
			}
			other, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			there, known := floor[other]
			if !known || there >= here {
				t.Errorf("%s: %s imports %s, which is not below it", name, room, other)
			}
			if strings.HasPrefix(room, "cmd/") && strings.Contains(other, "/internal/") {
				t.Errorf("%s imports the internal room %s: what the command can do, a library user must be able to", name, other)
			}
		}
		if room != "emulator/internal/clock" {
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clockCalls, s.Sel.Name) {
						t.Errorf("%s calls time.%s: the time is read in emulator/internal/clock only", name, s.Sel.Name)
					}
				}
				return true
			})
		}
	})
	for room := range floor {
		if !seen[room] {
			t.Errorf("there is no room %s", room)
		}
	}
}

// A newcomer finds every room on the map.
func TestMapNamesEveryRoom(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, rooms := range floors {
		for _, room := range rooms {
			if !strings.Contains(string(doc), "//\t"+room+"/ ") {
				t.Errorf("doc.go does not name %s", room)
			}
		}
	}
}

// The owner fixed what stands at the top.
func TestTopLevelIsTheOwners(t *testing.T) {
	t.Parallel()
	tracked, err := exec.CommandContext(t.Context(), "git", "-C", "..", "ls-tree", "--name-only", "HEAD").Output()
	if err != nil {
		t.Skipf("this is no checkout: %v", err) // as in the cache of modules
	}
	for name := range strings.FieldsSeq(string(tracked)) {
		if !strings.HasPrefix(name, ".") && !slices.Contains([]string{
			"cmd", "emulator", "fixtures", "scenarios", "go.mod", "go.sum", "Dockerfile", "README.md"}, name) {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}

// eachFile parses the imports and calls of every Go file that is no test.
func eachFile(t *testing.T, visit func(room, name string, file *ast.File)) {
	t.Helper()
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if _, err := fs.Stat(root, path.Join(name, "go.mod")); err == nil && d.IsDir() && name != "." {
			return fs.SkipDir // a module of its own, as a user's
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", filepath.FromSlash(name)), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		visit(path.Dir(name), name, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
