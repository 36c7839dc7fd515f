package emulator_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gorilla/mux"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/api"
	plane "github.com/hirempire-emulator/hirempire-emulator/emulator/internal/control"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

const descriptionFile = "internal/control/openapi.yaml"

// description is openapi.yaml.
type description struct {
	text    []byte
	doc     *openapi3.T
	root    *yaml.Node // for what has an order
	schemas map[string]*jsonschema.Schema
}

// described is the description that every answer of these tests is held to.
var described = sync.OnceValues(func() (*description, error) {
	d := &description{schemas: map[string]*jsonschema.Schema{}}
	var err error
	if d.text, err = os.ReadFile(descriptionFile); err != nil {
		return nil, err
	}
	if d.doc, err = openapi3.NewLoader().LoadFromData(d.text); err != nil {
		return nil, err
	}
	var file yaml.Node
	if err := yaml.Unmarshal(d.text, &file); err != nil {
		return nil, err
	}
	d.root = file.Content[0]
	// Compiled once and not by kin-openapi, which does so for every value.
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON(d.root)))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.yaml", resource); err != nil {
		return nil, err
	}
	compile := func(at string, content openapi3.Content) error {
		if _, ok := content["application/json"]; !ok {
			return nil
		}
		d.schemas[at], err = c.Compile("openapi.yaml" + at + "/content/application~1json/schema")
		return err
	}
	for name, path := range d.doc.Paths.Map() {
		for method, op := range path.Operations() {
			at := operationAt(name, method)
			for status, r := range op.Responses.Map() {
				if err := compile(cmp.Or(r.Ref, at+"/responses/"+status), r.Value.Content); err != nil {
					return nil, err
				}
			}
			if b := op.RequestBody; b != nil {
				if err := compile(cmp.Or(b.Ref, at+"/requestBody"), b.Value.Content); err != nil {
					return nil, err
				}
			}
		}
	}
	d.schemas["Failure"], err = c.Compile("openapi.yaml#/components/schemas/Failure")
	return d, err
})

func operationAt(path, method string) string {
	return "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path) + "/" + strings.ToLower(method)
}

func describe(t *testing.T) *description {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Fatalf("%s: %v", descriptionFile, err)
	}
	return d
}

// asJSON is a node as JSON, its keys in their order and its strings as the vendor
// writes them.
func asJSON(n *yaml.Node) []byte {
	var b []byte
	switch {
	case n.Kind == yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, hirempire.Marshal(n.Content[i].Value)...), ':'), asJSON(n.Content[i+1])...)
		}
		return append(b, '}')
	case n.Kind == yaml.SequenceNode:
		b = append(b, '[')
		for i, element := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, asJSON(element)...)
		}
		return append(b, ']')
	case n.ShortTag() == "!!str":
		return hirempire.Marshal(n.Value)
	default: // a number, a truth value or null
		return []byte(n.Value)
	}
}

// child returns what stands under keys, references resolved; nil: nothing.
func (d *description) child(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		if n = valueOf(d.resolve(n), key); n == nil {
			return nil
		}
	}
	return d.resolve(n)
}

func (d *description) resolve(n *yaml.Node) *yaml.Node {
	if ref := valueOf(n, "$ref"); ref != nil {
		return d.child(d.root, strings.Split(strings.TrimPrefix(ref.Value, "#/"), "/")...)
	}
	return n
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func (d *description) strings(n *yaml.Node, keys ...string) []string {
	var all []string
	if list := d.child(n, keys...); list != nil {
		for _, element := range list.Content {
			all = append(all, element.Value)
		}
	}
	return all
}

func TestDescriptionIsValid(t *testing.T) {
	t.Parallel()
	d := describe(t)
	if err := d.doc.Validate(t.Context()); err != nil { // examples too
		t.Error(err)
	}
	e := build(t, emulator.Options{})
	if w := ask(t, e, "GET", "/_emulator/openapi.yaml", "", nil); w.Body.String() != string(d.text) || w.Header().Get("Content-Type") != "application/yaml" {
		t.Errorf("served as %s, %d bytes", w.Header().Get("Content-Type"), w.Body.Len())
	}
}

// editionsOf returns the editions that something belongs to.
func editionsOf(t *testing.T, extensions map[string]any) []hirempire.Edition {
	t.Helper()
	var editions []hirempire.Edition
	b, _ := json.Marshal(extensions["x-editions"])
	if err := json.Unmarshal(b, &editions); err != nil {
		t.Fatalf("x-editions: %s: %v", b, err)
	}
	return editions
}

func isOurs(path string) bool {
	return path == plane.Prefix || strings.HasPrefix(path, plane.Prefix+"/")
}

// Every route is described, and nothing else is.
func TestDescriptionHasEveryRoute(t *testing.T) {
	t.Parallel()
	d := describe(t)
	vendor, ours := map[hirempire.Edition][]string{}, []string{}
	for path, item := range d.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if isOurs(path) {
				ours = append(ours, method+" "+path)
				continue
			}
			for _, e := range editionsOf(t, op.Extensions) {
				vendor[e] = append(vendor[e], method+" "+path)
				if !slices.Contains(hirempire.Routes(e), hirempire.Route{Operation: hirempire.Operation(op.Extensions["x-operation"].(string)), Method: method, Path: path}) {
					t.Errorf("%s %s is described as %s in %s", method, path, op.Extensions["x-operation"], e)
				}
			}
		}
	}
	for _, e := range hirempire.Editions() {
		bothWays(t, "edition "+string(e), vendor[e], routed(t, api.Router(api.Config{Edition: e})))
	}
	bothWays(t, "the control API", ours, routed(t, plane.Router(plane.Config{})))
}

// routed lists what a router serves. HEAD goes with GET.
func routed(t *testing.T, router *mux.Router) []string {
	t.Helper()
	var all []string
	err := router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		methods, err := route.GetMethods()
		for _, method := range methods {
			if method != http.MethodHead || !slices.Contains(methods, http.MethodGet) {
				all = append(all, method+" "+path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// bothWays reports what is only described and what is not.
func bothWays(t *testing.T, of string, described, real []string) {
	t.Helper()
	for _, one := range described {
		if !slices.Contains(real, one) {
			t.Errorf("%s: %s is described, but there is none", of, one)
		}
	}
	for _, one := range real {
		if !slices.Contains(described, one) {
			t.Errorf("%s: %s is not described", of, one)
		}
	}
}

// The documented errors stand in the description as in the table: each at its
// status, at every path of its operation, with its message to the byte.
func TestDescriptionHasEveryError(t *testing.T) {
	t.Parallel()
	d := describe(t)
	var described, real, rows []string
	for path, item := range d.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Extensions["x-operation"] == nil {
				continue
			}
			for status, response := range op.Responses.Map() {
				if status == "200" || status == "429" {
					continue
				}
				for code, example := range response.Value.Content["application/json"].Examples {
					b, _ := json.Marshal(example.Value.Value)
					for _, e := range editionsOf(t, op.Extensions) {
						if slices.Contains(editionsOf(t, example.Value.Extensions), e) {
							described = append(described, fmt.Sprintf("%s %s: %s %s: %s: %s when %s", method, path, e, status, code, b, example.Value.Summary))
						} else if len(editionsOf(t, op.Extensions)) == 1 {
							t.Errorf("%s %s: %s is of no edition that has the path", method, path, code)
						}
					}
				}
			}
		}
	}
	for _, e := range hirempire.Editions() {
		for _, row := range hirempire.Errors(e) {
			rows = append(rows, string(row.Operation)+"."+row.Code)
			var body any
			_ = json.Unmarshal((&hirempire.Error{Message: row.Message}).Body(), &body)
			b, _ := json.Marshal(body)
			for _, route := range hirempire.Routes(e) {
				if route.Operation == row.Operation {
					real = append(real, fmt.Sprintf("%s %s: %s %d: %s: %s when %s", route.Method, route.Path, e, row.Status, row.Code, b, row.When))
				}
			}
		}
	}
	bothWays(t, "errors", described, real)
	// No example stands where nothing refers to it.
	for name := range d.doc.Components.Examples {
		if op, code, _ := strings.Cut(name, "."); !strings.HasPrefix(code, "success") && !hirempire.Event(op).Valid() && !slices.Contains(rows, name) {
			t.Errorf("the example %s is no row of the table", name)
		}
	}
	if b, _ := json.Marshal(d.doc.Components.Responses["TooManyRequests"].Value.Content["application/json"].Examples["too-many-requests"].Value.Value.(map[string]any)["error"]); string(b) != strconv.Quote(hirempire.TooManyRequests(0).Message) {
		t.Errorf("429 is described as %s", b)
	}
}

// The examples of success and of the events are the fixtures.
func TestDescriptionHasEveryFixture(t *testing.T) {
	t.Parallel()
	d := describe(t)
	for _, e := range hirempire.Editions() {
		compare := func(refer *yaml.Node, file string) {
			t.Helper()
			want, err := fs.ReadFile(fixtures.FS, string(e)+"/"+file)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for i := 1; refer != nil && i < len(refer.Content); i += 2 {
				example := d.resolve(refer.Content[i])
				if slices.Contains(d.strings(example, "x-editions"), string(e)) {
					found++
					if got := asJSON(d.child(example, "value")); string(got) != string(bytes.TrimSpace(want)) {
						t.Errorf("%s %s:\ndescribed %s\n  fixture %s", e, file, got, want)
					}
				}
			}
			if found != 1 {
				t.Errorf("%s %s: %d examples", e, file, found)
			}
		}
		for _, route := range hirempire.Routes(e) {
			compare(d.child(d.root, "paths", route.Path, strings.ToLower(route.Method), "responses", "200", "content", "application/json", "examples"),
				fmt.Sprintf("responses/%s/success.json", route.Operation))
		}
		for _, event := range hirempire.Events() {
			compare(d.child(d.root, "webhooks", string(event), "post", "requestBody", "content", "application/json", "examples"),
				fmt.Sprintf("payloads/%s.json", event))
		}
	}
}

// The schemas of the payloads have the fields that the contract has, in that order.
func TestDescriptionHasEveryField(t *testing.T) {
	t.Parallel()
	d := describe(t)
	for _, event := range hirempire.Events() {
		var got []hirempire.Field
		d.fields(t, d.child(d.root, "webhooks", string(event), "post", "requestBody", "content", "application/json", "schema"), "", &got)
		if want := hirempire.Fields(event); !slices.EqualFunc(got, want, func(a, b hirempire.Field) bool {
			if a.Path == "event" && slices.Contains(a.Values, string(event)) {
				a.Values, a.Kind = nil, hirempire.String // which the schema knows and the type does not
			}
			return a.Path == b.Path && a.Kind == b.Kind && a.Nullable == b.Nullable && slices.Equal(a.Values, b.Values) &&
				a.Format == b.Format && a.Pattern == b.Pattern && a.Max == b.Max && a.Doc == b.Doc
		}) {
			t.Errorf("%s:\ndescribed %+v\n     real %+v", event, got, want)
		}
		if summary := d.child(d.root, "webhooks", string(event), "post", "summary"); !strings.EqualFold(summary.Value, event.Fires()) {
			t.Errorf("%s is described as %q", event, summary.Value)
		}
	}
	known := slices.Concat([]string{"challenge"}, asStrings(hirempire.Events()))
	bothWays(t, "webhooks", slices.Collect(maps.Keys(d.doc.Webhooks)), known)
	for name, want := range map[string][]string{
		"Event":     asStrings(hirempire.Events()),
		"Edition":   asStrings(hirempire.Editions()),
		"Operation": asStrings(hirempire.Operations(hirempire.Edition202606)),
	} {
		bothWays(t, name, d.strings(d.root, "components", "schemas", name, "enum"), want)
	}
}

func asStrings[T ~string](all []T) []string {
	var texts []string
	for _, one := range all {
		texts = append(texts, string(one))
	}
	return texts
}

// fields lists what a schema describes as [hirempire.Fields] does.
func (d *description) fields(t *testing.T, schema *yaml.Node, at string, into *[]hirempire.Field) {
	t.Helper()
	if items := d.child(schema, "items"); items != nil {
		*into = append(*into, hirempire.Field{Path: at + ".N", Kind: hirempire.Kind(d.child(items, "type").Value)})
		d.fields(t, items, at+".N", into)
	}
	properties := d.child(schema, "properties")
	if properties == nil {
		return
	}
	var names []string
	for i := 0; i < len(properties.Content); i += 2 {
		name, property := properties.Content[i].Value, d.resolve(properties.Content[i+1])
		names = append(names, name)
		f := hirempire.Field{Path: strings.TrimPrefix(at+"."+name, "."), Values: d.strings(property, "enum")}
		switch kind := d.child(property, "type"); {
		case kind != nil && kind.Kind == yaml.SequenceNode:
			f.Kind, f.Nullable = hirempire.Kind(kind.Content[0].Value), kind.Content[1].Value == "null"
		case kind != nil:
			f.Kind = hirempire.Kind(kind.Value)
		}
		if f.Kind == hirempire.Array {
			f.Values = d.strings(property, "items", "enum")
		}
		for key, text := range map[string]*string{"description": &f.Doc, "format": &f.Format, "pattern": &f.Pattern} {
			if said := d.child(property, key); said != nil {
				*text = said.Value
			}
		}
		if most := d.child(property, "maximum"); most != nil {
			f.Max, _ = strconv.ParseFloat(most.Value, 64)
		}
		*into = append(*into, f)
		d.fields(t, property, f.Path, into)
	}
	if required := d.strings(schema, "required"); !slices.Equal(names, required) {
		t.Errorf("%s: required are %v of %v", at, required, names)
	}
}

// Answers have no fields but those that are described: nothing is left open.
func TestDescribedAnswersAreClosed(t *testing.T) {
	t.Parallel()
	d := describe(t)
	seen := map[*yaml.Node]bool{}
	var walk func(n *yaml.Node, at string)
	walk = func(n *yaml.Node, at string) {
		if n = d.resolve(n); n == nil || seen[n] {
			return
		}
		seen[n] = true
		if n.Kind == yaml.MappingNode && d.child(n, "properties") != nil && d.child(n, "additionalProperties") == nil {
			t.Errorf("line %d, %s: no additionalProperties: false", n.Line, at)
		}
		for i, element := range n.Content {
			if n.Kind == yaml.SequenceNode || i%2 == 1 {
				walk(element, at)
			}
		}
	}
	for path, item := range d.doc.Paths.Map() {
		for method := range item.Operations() {
			walk(d.child(d.root, "paths", path, strings.ToLower(method), "responses"), method+" "+path)
		}
	}
}

// The codes of failures are those that the control API gives.
func TestDescriptionHasEveryCode(t *testing.T) {
	t.Parallel()
	d := describe(t)
	var ours []string
	files, err := filepath.Glob("internal/control/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 1 {
				if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "fail" {
					if code, ok := call.Args[1].(*ast.BasicLit); ok {
						ours = append(ours, strings.Trim(code.Value, `"`))
					}
				}
			}
			return true
		})
	}
	of := d.child(d.root, "components", "schemas", "Failure", "properties", "error", "properties", "code", "anyOf")
	bothWays(t, "codes", d.strings(of.Content[1], "enum"), ours)
	vendors := []string{hirempire.TooManyRequests(0).Code}
	for _, e := range hirempire.Editions() {
		for _, row := range hirempire.Errors(e) {
			vendors = append(vendors, row.Code)
		}
	}
	bothWays(t, "the vendor's codes", d.strings(of.Content[0], "enum"), vendors)
}

// Every operation of the control API refuses what it is described to refuse, and
// nothing else of that kind.
func TestDescribedRefusals(t *testing.T) {
	t.Parallel()
	d := describe(t)
	e := build(t, emulator.Options{})
	for name, item := range d.doc.Paths.Map() {
		if !isOurs(name) {
			continue
		}
		path := strings.NewReplacer("{id}", "x", "{name}", "x", "{file}", "x").Replace(name)
		for method, op := range item.Operations() {
			inWorkspace := slices.ContainsFunc(op.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == "workspace" })
			for status, c := range map[int]struct {
				query, body string
				header      map[string]string
				refused     bool
			}{
				400: {query: "?nonsense=1", refused: op.Responses.Value("400") != nil},
				404: {query: "?workspace=ws_x", refused: inWorkspace},
				403: {header: map[string]string{"Host": "evil.example"}, refused: true},
				415: {body: "x", header: map[string]string{"Content-Type": "text/plain"}, refused: op.Responses.Value("415") != nil},
			} {
				if status == 404 && (!inWorkspace || method == "POST") || status == 415 && method == "GET" {
					continue // it answers what it is for, or refuses something else first
				}
				if w := ask(t, e, method, path+c.query, c.body, c.header); (w.Code == status) != c.refused {
					t.Errorf("%s %s%s: answered %d %.300s", method, path, c.query, w.Code, w.Body)
				}
			}
		}
	}
}

// hold compares an answer, and the request if that was served, with the
// description. What no description has may only be what an armed fault answered:
// requests returns those of the journal. Consumers are somebody else's.
func hold(t *testing.T, req *http.Request, sent string, r reply, requests func(query string) string) {
	t.Helper()
	path := req.URL.EscapedPath()
	vendor := strings.HasPrefix(path, "/v1/")
	if !vendor && !isOurs(path) {
		return
	}
	err := describe(t).objection(req, sent, r)
	if err == nil {
		return
	}
	if vendor {
		var answered struct{ Requests []struct{ Path string } }
		_ = json.Unmarshal([]byte(requests(fmt.Sprintf("?answered_by=fault&limit=1000&status=%d", r.status))), &answered)
		if slices.ContainsFunc(answered.Requests, func(c struct{ Path string }) bool { return c.Path == req.URL.RequestURI() }) {
			return
		}
	}
	t.Errorf("not as %s has it: %s %s %s\nanswered %d %.500s\n%v", descriptionFile, req.Method, req.URL.RequestURI(), sent, r.status, r.body, err)
}

// objection says what is not described of an answer.
func (d *description) objection(req *http.Request, sent string, r reply) error {
	path, method := req.URL.EscapedPath(), req.Method
	vendor := strings.HasPrefix(path, "/v1/")
	if method == http.MethodHead && !vendor {
		method = http.MethodGet
	}
	name, op := d.operation(method, path)
	if refused(req, r) {
		return nil // of another edition, or elsewhere than this plane
	}
	if op == nil {
		if !vendor && (r.status == http.StatusForbidden || r.status == http.StatusUnsupportedMediaType) {
			return d.fits(req, "Failure", r)
		}
		return errors.New("there is no such operation, but it was not refused")
	}
	status := strconv.Itoa(r.status)
	response := op.Responses.Value(status)
	if response == nil {
		return fmt.Errorf("no status %s", status)
	}
	if response.Value.Content == nil {
		return nil // nobody reads it
	}
	kind, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	media := response.Value.Content[kind]
	if err != nil || media == nil {
		return fmt.Errorf("no content type %q", r.header.Get("Content-Type"))
	}
	if kind != "application/json" {
		return nil
	}
	if err := d.fits(req, cmp.Or(response.Ref, operationAt(name, method)+"/responses/"+status), r); err != nil {
		return err
	}
	if r.status/100 != 2 {
		return knownMessage(vendor, media, r.body)
	}
	return d.served(op, operationAt(name, method), req, sent)
}

// refused reports whether an answer is that of either plane to an unknown path or
// another method.
func refused(req *http.Request, r reply) bool {
	for _, failure := range []*hirempire.Error{hirempire.NotFound(), hirempire.MethodNotAllowed()} {
		if r.status == failure.Status && (req.Method == http.MethodHead || r.body == string(failure.Body()) || strings.HasPrefix(r.body, `{"error":{"code":"`+failure.Code+`",`)) {
			return true
		}
	}
	return false
}

// operation finds what is described of a request.
func (d *description) operation(method, path string) (string, *openapi3.Operation) {
	if item := d.doc.Paths.Value(path); item != nil {
		return path, item.Operations()[method]
	}
	segments := strings.Split(path, "/")
	for name, item := range d.doc.Paths.Map() {
		if slices.EqualFunc(strings.Split(name, "/"), segments, func(of, segment string) bool {
			return of == segment || strings.HasPrefix(of, "{") && segment != ""
		}) {
			return name, item.Operations()[method]
		}
	}
	return "", nil
}

// fits compares a body with a schema.
func (d *description) fits(req *http.Request, schema string, r reply) error {
	if req.Method == http.MethodHead {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(r.body))
	if err != nil {
		return err
	}
	return d.schemas[schema].Validate(value)
}

// knownMessage reports a message of the vendor's that is none of the examples.
func knownMessage(vendor bool, media *openapi3.MediaType, body string) error {
	if !vendor || body == "" {
		return nil
	}
	var got struct{ Error string }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		return err
	}
	for _, example := range media.Examples {
		message, _ := example.Value.Value.(map[string]any)["error"].(string)
		before, after, named := strings.Cut(message, "<name>")
		if got.Error == message || named && strings.HasPrefix(got.Error, before) && strings.HasSuffix(got.Error, after) {
			return nil
		}
	}
	return fmt.Errorf("no example has the message %q", got.Error)
}

// served compares a request that was served with what is described to be.
func (d *description) served(op *openapi3.Operation, at string, req *http.Request, sent string) error {
	query := req.URL.Query()
	for _, p := range op.Parameters {
		if p.Value.In == "query" {
			if p.Value.Required && !query.Has(p.Value.Name) {
				return fmt.Errorf("the query parameter %s was left out", p.Value.Name)
			}
			delete(query, p.Value.Name)
		}
	}
	if delete(query, ""); len(query) > 0 && op.Responses.Value("400") != nil {
		return fmt.Errorf("no query parameters %v", query)
	}
	if sent == "" || op.RequestBody == nil {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(sent))
	if err != nil {
		return err
	}
	if err := d.schemas[cmp.Or(op.RequestBody.Ref, at+"/requestBody")].Validate(value); err != nil {
		return fmt.Errorf("the body was served, but: %w", err)
	}
	return nil
}
