package emulator_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Whatever is faked fits the schema of its event and edition.
func TestFakesFitTheirSchemas(t *testing.T) {
	t.Parallel()
	const seeds = 300
	start := time.Date(2026, 1, 30, 9, 0, 0, 0, time.UTC)
	for _, edition := range hirempire.Editions() {
		for _, event := range hirempire.Events() {
			t.Run(string(edition)+"/"+string(event), func(t *testing.T) {
				t.Parallel()
				text, err := jsonschema.UnmarshalJSON(bytes.NewReader(hirempire.Schema(edition, event)))
				if err != nil {
					t.Fatal(err)
				}
				c := jsonschema.NewCompiler()
				c.AssertFormat()
				if err := c.AddResource("schema.json", text); err != nil {
					t.Fatal(err)
				}
				schema, err := c.Compile("schema.json")
				if err != nil {
					t.Fatal(err)
				}
				for seed := range uint64(seeds) {
					for body, err := range emulator.Fake(edition, scenario.Step{Event: event, Repeat: 3, Every: time.Hour}, seed, start) {
						if err != nil {
							t.Fatal(err)
						}
						payload, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
						if err == nil {
							err = schema.Validate(payload)
						}
						if err != nil {
							t.Fatalf("seed %d: %v\n%s", seed, err, body)
						}
					}
				}
			})
		}
	}
}
