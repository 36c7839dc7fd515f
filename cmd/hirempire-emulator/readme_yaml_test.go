package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A workflow of GitHub Actions, as far as the README needs it; a key that is not
// here is misspelt.
type workflow struct {
	Name string
	On   []string
	Jobs map[string]struct {
		RunsOn   string `yaml:"runs-on"`
		Services map[string]struct {
			Image   string
			Ports   []string
			Options string
		}
		Steps []struct {
			Uses string
			With map[string]string
			Run  string
			If   string
		}
	}
}

// The workflows of the README are workflows; that of services has what a service
// needs to reach a consumer.
func TestReadmeWorkflows(t *testing.T) {
	t.Parallel()
	found := map[string]workflow{}
	for _, b := range readBlocks(t, filepath.Join("..", "..", "README.md")) {
		name := b.notes["file"]
		if filepath.Ext(name) != ".yml" {
			continue
		}
		dec := yaml.NewDecoder(bytes.NewReader([]byte(b.file)))
		dec.KnownFields(true)
		var w workflow
		if err := dec.Decode(&w); err != nil {
			t.Fatalf("README.md:%d: %s: %v", b.line, name, err)
		}
		found[name] = w
		for job, j := range w.Jobs {
			if w.Name == "" || !slices.Equal(w.On, []string{"push"}) || j.RunsOn == "" || len(j.Steps) == 0 {
				t.Errorf("README.md:%d: the job %s is incomplete: %+v", b.line, job, w)
			}
			for _, s := range j.Steps {
				if (s.Uses == "") == (s.Run == "") || s.Uses != "" && !strings.Contains(s.Uses, "@v") {
					t.Errorf("README.md:%d: a step is neither an action nor a command: %+v", b.line, s)
				}
			}
		}
	}
	if len(found) != 2 {
		t.Fatalf("the README has %d workflows", len(found))
	}
	service := found["service.yml"].Jobs["test"].Services["emulator"]
	if service.Image == "" || !slices.Equal(service.Ports, []string{"8080:8080"}) || service.Options != "--add-host host.docker.internal:host-gateway" {
		t.Errorf("the service is %+v", service)
	}
	var commands []string
	for _, s := range found["webhooks.yml"].Jobs["test"].Steps {
		if rest, ok := strings.CutPrefix(s.Run, "docker "); ok {
			verb, _, _ := strings.Cut(rest, " ")
			commands = append(commands, verb)
		}
	}
	if want := []string{"build", "run", "exec", "logs"}; !slices.Equal(commands, want) {
		t.Errorf("Docker is told to %q, want %q, which .ci/image runs", commands, want)
	}
}
