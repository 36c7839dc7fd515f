package control

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// schema is what the test needs of one.
type schema struct {
	Ref        string             `yaml:"$ref"`
	Type       any                `yaml:"type"`
	Properties map[string]*schema `yaml:"properties"`
	Required   []string           `yaml:"required"`
	Items      *schema            `yaml:"items"`
}

// bodyOfDelivery is what [journal.Delivery] adds to itself.
type bodyOfDelivery struct {
	Cause      journal.Cause `json:"cause,omitempty"`
	Body       string        `json:"body"`
	BodyBase64 []byte        `json:"body_base64,omitempty"`
}

// What is described of our answers is what their types have: no field more, none
// less, and required is what is never left out.
func TestDescriptionHasEveryFieldOfOurTypes(t *testing.T) {
	t.Parallel()
	var doc struct {
		Components struct{ Schemas map[string]*schema }
	}
	if err := yaml.Unmarshal([]byte(description), &doc); err != nil {
		t.Fatal(err)
	}
	d := matcher{t, doc.Components.Schemas}
	for name, of := range map[string]any{
		"Created": hirempire.CreateAnswer{}, "Listed": hirempire.ListAnswer{}, "Updated": hirempire.UpdateAnswer{},
		"Deleted": hirempire.DeleteAnswer{}, "Verified": hirempire.VerifyAnswer{}, "ChallengeRequest": hirempire.Challenge{},
		"Workspace": workspaceView{}, "Webhook": webhookView{}, "Challenge": journal.Challenge{}, "Attempt": journal.Attempt{},
		"Delivery": struct {
			journal.Delivery
			bodyOfDelivery
		}{},
		"DeliveryMiss": deliveryMiss{}, "Request": journal.Call{}, "RequestMiss": callMiss{},
		"Run": report.Run{}, "Fault": faultView{}, "Clock": clockView{}, "Preview": previewView{}, "Scenario": scenarioView{},
		"Problem": scenario.Problem{}, "EventType": eventView{}, "DocumentedError": report.Error{},
	} {
		d.match(name, &schema{Ref: "#/components/schemas/" + name}, reflect.TypeOf(of))
	}
	d.match("Failure", doc.Components.Schemas["Failure"].Properties["error"], reflect.TypeFor[failure]())
}

type matcher struct {
	t       *testing.T
	schemas map[string]*schema
}

func (d matcher) match(at string, s *schema, of reflect.Type) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if s = d.resolve(s); s == nil {
		d.t.Errorf("%s is not described", at)
		return
	}
	switch of {
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[time.Time](), reflect.TypeFor[hirempire.Time](), reflect.TypeFor[[]byte]():
		return
	}
	switch of.Kind() {
	case reflect.Slice:
		d.match(at+".N", s.Items, of.Elem())
	case reflect.Struct:
		var names, required []string
		d.fields(of, func(name string, always bool, of reflect.Type) {
			names = append(names, name)
			if always {
				required = append(required, name)
			}
			d.match(at+"."+name, s.Properties[name], of)
		})
		for name := range s.Properties {
			if !slices.Contains(names, name) {
				d.t.Errorf("%s.%s is described, but there is none", at, name)
			}
		}
		if slices.Sort(required); !slices.Equal(required, slices.Sorted(slices.Values(s.Required))) {
			d.t.Errorf("%s: required are %v, but %v are always there", at, s.Required, required)
		}
	}
	want := map[reflect.Kind]string{reflect.Bool: "boolean", reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Uint64: "integer", reflect.Float64: "number", reflect.Struct: "object", reflect.Map: "object", reflect.Slice: "array"}[of.Kind()]
	if kind, ok := s.Type.(string); ok && want != "" && kind != want {
		d.t.Errorf("%s is described as %s, but is %s", at, kind, of)
	}
}

func (d matcher) resolve(s *schema) *schema {
	for s != nil && s.Ref != "" {
		s = d.schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// fields visits what of is in JSON.
func (d matcher) fields(of reflect.Type, visit func(name string, always bool, of reflect.Type)) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			d.fields(f.Type, visit)
		case name != "-" && f.IsExported():
			visit(name, option != "omitempty", f.Type)
		}
	}
}
