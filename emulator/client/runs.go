package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// A Performance says what to perform and how. Zero values leave the choice to the
// scenario.
type Performance struct {
	Scenario string     `json:"scenario,omitempty"` // a name, or
	YAML     string     `json:"yaml,omitempty"`     // a story
	Seed     *uint64    `json:"seed,omitempty"`
	Start    *time.Time `json:"start,omitempty"`
	Speed    string     `json:"speed,omitempty"` // a number, or max
	// Concurrency is how many deliveries may be on their way to each webhook at once,
	// from 1 to 1,000. Zero is 1: in order.
	Concurrency int `json:"concurrency,omitempty"`
	// Rate is how many events leave in a second, to a million, whatever the story's
	// times are and however slow the answers come. Zero: the story's times.
	Rate float64 `json:"rate,omitempty"`
}

// A Run is what became of one performance of a scenario.
type Run struct {
	ID         string            `json:"id"`
	Workspace  string            `json:"workspace"`
	Scenario   string            `json:"scenario"`
	File       string            `json:"file"` // where it stands
	Edition    string            `json:"edition"`
	Seed       uint64            `json:"seed"`
	Start      time.Time         `json:"start"`
	Speed      string            `json:"speed"`
	State      string            `json:"state"` // running, finished, cancelled, broken, or stalled by an await
	Error      string            `json:"error"`
	Began      time.Time         `json:"began"`
	Took       time.Duration     `json:"took_ns"`
	Steps      int               `json:"steps"`
	StepsDone  int               `json:"steps_done"`
	Events     uint64            `json:"events"`
	Unheard    uint64            `json:"unheard"` // events that had no subscriber
	Deliveries Ledger            `json:"deliveries"`
	Planned    uint64            `json:"planned"` // of the failed and dropped: on purpose
	Faults     map[string]uint64 `json:"faults"`  // on purpose, by kind
	Challenges uint64            `json:"challenges"`
	Unpassed   uint64            `json:"unpassed"` // challenges that were answered wrong
	Armed      []ArmedFault      `json:"armed"`    // faults of the API that nobody met
	Expected   uint64            `json:"expected"` // of the failed deliveries: as their step expects
	Retries    uint64            `json:"retries"`  // attempts beyond the first of each delivery
	Checked    uint64            `json:"checked"`  // expectations
	Unmet      uint64            `json:"unmet"`    // those that did not hold
	Coverage   Coverage          `json:"coverage"` // of the run
	Causes     map[string]uint64 `json:"causes"`
	// Concurrency is how many deliveries could be on their way to each webhook at once.
	Concurrency int `json:"concurrency"`
	// Schedule is what became of the rate; nil: there was none. With one, answer
	// times count from when each event was due.
	Schedule *Schedule    `json:"schedule"`
	Latency  Latency      `json:"latency"`
	Results  []StepResult `json:"results"`  // of the steps, in order
	Failures []Failure    `json:"failures"` // at most 100 of each step
	// AllFailures is how many there are, listed or not.
	AllFailures uint64 `json:"all_failures"`
}

// Schedule is what became of the rate of a run.
type Schedule struct {
	Rate   float64       `json:"rate"` // events a second, as asked for
	Kept   float64       `json:"kept"` // as they left; zero for fewer than two
	Late   uint64        `json:"late"` // deliveries that left over 10 ms late
	MaxLag time.Duration `json:"max_lag_ns"`
}

// Latency is how long consumers took to answer; all zero where nothing was answered.
type Latency struct {
	Count uint64        `json:"count"`
	Min   time.Duration `json:"min_ns"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
}

// StepResult is what became of one step of a story.
type StepResult struct {
	Position   string        `json:"position"` // file:line:col
	What       string        `json:"what"`     // in a few words
	State      string        `json:"state"`    // waiting, going, passed, failed or error
	Began      time.Duration `json:"began_ns"` // since the run began
	Took       time.Duration `json:"took_ns"`  // until the story moved on
	Deliveries Ledger        `json:"deliveries"`
	Failures   uint64        `json:"failures"`
}

// ArmedFault is a fault of the API that was still armed when its run ended.
type ArmedFault struct {
	ID        string `json:"id"`
	Position  string `json:"position"`
	Operation string `json:"operation"`
	What      string `json:"what"`
	Times     int    `json:"times"`
}

// A Failure is one delivery, or challenge, of a run that did not succeed.
type Failure struct {
	Delivery string `json:"delivery"`
	Event    string `json:"event"`
	Position string `json:"position"`
	Status   string `json:"status"`
	Detail   string `json:"detail"`
	// Expectation and what follows it are of an expectation that did not hold.
	Step        int    `json:"step"`      // from 1; 0: of the run
	Iteration   int    `json:"iteration"` // from 1
	Payload     string `json:"payload"`   // the first bytes, of the first failures
	Answer      string `json:"answer"`
	Expectation string `json:"expectation"`
	Expected    string `json:"expected"`
	Got         string `json:"got"`
	Diff        string `json:"diff"`
}

// Start begins to perform a scenario and returns at once.
func (c *Client) Start(ctx context.Context, p Performance) (Run, error) { return c.run(ctx, p, nil) }

// Perform performs a scenario and returns when it has ended, at the latest after
// timeout, then with an [*Error]; the run goes on.
func (c *Client) Perform(ctx context.Context, p Performance, timeout time.Duration) (Run, error) {
	return c.run(ctx, p, url.Values{"wait": {timeout.String()}})
}

func (c *Client) run(ctx context.Context, p Performance, query url.Values) (Run, error) {
	var out struct{ Run Run }
	err := c.call(ctx, http.MethodPost, "/runs", query, p, &out)
	return out.Run, err
}

// Runs lists the runs that are remembered, oldest first, after the first since ones.
func (c *Client) Runs(ctx context.Context, since uint64, limit int) (all []Run, next uint64, err error) {
	var out struct {
		Runs []Run
		Next uint64
	}
	err = c.call(ctx, http.MethodGet, "/runs", page(nil, since, limit), nil, &out)
	return out.Runs, out.Next, err
}

// Run returns the run of that id as it stands.
func (c *Client) Run(ctx context.Context, id string) (Run, error) {
	var out struct{ Run Run }
	err := c.call(ctx, http.MethodGet, "/runs/"+url.PathEscape(id), nil, nil, &out)
	return out.Run, err
}

// AwaitRun returns the run of that id once it has ended, at the latest after
// timeout, then with an [*Error]; the run goes on.
func (c *Client) AwaitRun(ctx context.Context, id string, timeout time.Duration) (Run, error) {
	var out struct{ Run Run }
	err := c.call(ctx, http.MethodGet, "/runs/"+url.PathEscape(id), url.Values{"wait": {timeout.String()}}, nil, &out)
	return out.Run, err
}

// Cancel ends a run and returns when nothing of it is under way.
func (c *Client) Cancel(ctx context.Context, id string) (Run, error) {
	var out struct{ Run Run }
	err := c.call(ctx, http.MethodDelete, "/runs/"+url.PathEscape(id), nil, nil, &out)
	return out.Run, err
}
