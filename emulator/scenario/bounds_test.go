package scenario_test

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// hostile are files of at most 1 MiB that cost as much as they can.
func hostile() map[string]string {
	steps := "version: 1\nsteps:\n"
	event := steps + "- event: applicant_applied\n  set:\n"
	names, unknown, indexes, nested := "version: 1\ncast:\n  jobs:\n", "steps:\n", event+"    applicant.special_questions: []\n", ""
	for i := range 5000 {
		names += fmt.Sprintf("    job-%d: {}\n", i)
		unknown += fmt.Sprintf("- {event: job_added, job: jab-%d}\n", i)
		indexes += fmt.Sprintf("    applicant.special_questions.%d.answer: x\n", i)
	}
	headers := ""
	for i := range 15_000 {
		headers += fmt.Sprintf("      X-%d: a\n", i)
	}
	for i := range 1400 {
		nested += strings.Repeat(" ", i) + "a:\n"
	}
	bomb := "a0: &a0 [x, x]\n"
	for i := range 100 {
		bomb += fmt.Sprintf("a%d: &a%d [%[3]s, %[3]s]\n", i+1, i+1, fmt.Sprintf("*a%d", i))
	}
	return map[string]string{
		"steps":                      steps + strings.Repeat("- wait: 2s\n", 19_900),
		"steps with comments":        steps + strings.Repeat("- wait: 2s # x\n", 19_900),
		"steps with anchors":         steps + strings.Repeat("- &a wait: 2s\n", 19_900),
		"steps that are wrong":       steps + strings.Repeat("- event: job_aded\n", 19_900),
		"aliases":                    steps + "- &a {wait: 2s}\n" + strings.Repeat("- *a\n", 16_000),
		"aliases of aliases":         bomb + steps + "- wait: 2s\n",
		"an alias of a long string":  steps + "- event: applicant_applied\n  set: {applicant.name: &a \"" + strings.Repeat("x", 500_000) + "\", applicant.special_questions: [" + strings.Repeat("{question: *a, answer: *a},", 100) + "]}\n",
		"one list":                   steps + "- [" + strings.Repeat("a,", 59_000) + "]\n",
		"one mapping":                steps + "- {" + strings.Repeat("a,", 59_000) + "}\n",
		"values to compare":          event + "    applicant.source: X\n- event: job_added\n  set: {job.sources: [" + strings.Repeat("Lnkdin,", 59_000) + "]}\n",
		"names to compare":           names + unknown,
		"indexes":                    indexes,
		"open brackets":              steps + "- " + strings.Repeat("[", 59_000),
		"open braces":                steps + "- " + strings.Repeat("{a: ", 29_000),
		"nested lists":               steps + strings.Repeat("- ", 59_000) + "x\n",
		"nested mappings":            nested,
		"an open quote":              steps + "- \"" + strings.Repeat("a ", 500_000),
		"escapes":                    steps + "- \"" + strings.Repeat(`\n`, 500_000) + "\\q\"\n",
		"a long key":                 steps + "- " + strings.Repeat("a", 1_000_000) + ": x\n",
		"a long path":                event + "    ? " + strings.Repeat("a.", 500_000) + "\n    : x\n",
		"spaces":                     strings.Repeat(" ", 1_000_000) + "x\n",
		"blank lines and a mistake":  steps + strings.Repeat("\n", 59_000) + "\t- wait: 2s\n",
		"a mistake at the end":       steps + strings.Repeat("- wait: 2s\n", 19_900) + " x\n",
		"faults that are wrong":      steps + strings.Repeat("- fault: {operation: x, error: y, drop: z}\n", 6_000),
		"deliveries":                 steps + strings.Repeat("- {event: job_added, delivery: {duplicates: 1, corrupt: {wrong_type: job}}}\n", 4_900),
		"awaits":                     steps + strings.Repeat("- await: {delivery: settled}\n", 11_900),
		"headers":                    steps + "- event: job_added\n  delivery:\n    headers:\n" + headers,
		"bodies by alias":            steps + "- &a {fault: {operation: list-webhooks, status: 500, body: [&b \"" + strings.Repeat("x", 500_000) + "\"]}}\n- *a\n",
		"statuses":                   steps + "- event: job_added\n  expect: {status: [" + strings.Repeat("200,", 59_000) + "]}\n",
		"statuses that are wrong":    steps + "- event: job_added\n  expect: {status: [" + strings.Repeat("20x,", 59_000) + "]}\n",
		"headers that are expected":  steps + "- event: job_added\n  expect:\n    header:\n" + headers,
		"bodies that are expected":   steps + "- &a {event: job_added, expect: {body: [&b \"" + strings.Repeat("x", 500_000) + "\"]}}\n- *a\n",
		"expectations":               steps + strings.Repeat("- {event: job_added, expect: {status: 2xx}}\n", 7_400),
		"an unlisted mistake at end": steps + strings.Repeat("- wait: 2s\n", 19_900) + "- &\n",
	}
}

// TestBounds keeps the work that a file can cause bounded, whatever is in it.
// What is allocated in all bounds both the memory and, by and large, the time.
// It is not parallel: it counts what the process allocates.
func TestBounds(t *testing.T) {
	stories := hostile()
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		most := uint64(64 << 20)
		if raceDetector {
			most *= 4 // it keeps what escape analysis would have spared
		}
		if name == "an unlisted mistake at end" {
			// Read over and over, never twice at the same time.
			most = 256 << 20
		}
		data := []byte(stories[name])
		if len(data) > scenario.MaxBytes {
			t.Fatalf("%s: %d bytes are refused before they cost anything", name, len(data))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, problems := scenario.Parse("story.yaml", data)
		runtime.ReadMemStats(&after)
		sane(t, "story.yaml", data, s, problems)
		if slices.ContainsFunc(problems, func(p scenario.Problem) bool { return p.Code == "too-complex" }) {
			t.Errorf("%s: refused before it cost anything: %v", name, problems)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("%s: %d MiB", name, got>>20)
		}
	}
}
