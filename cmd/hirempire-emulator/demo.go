package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

const demoToken = "sk-demo"

// demo shows the main job: emulator, consumer, registration, story.
func (a *app) demo() *cobra.Command {
	var f emulatorFlags
	var addr, name string
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: an emulator, a consumer and a story between them",
		Long: `Start an emulator and a built-in consumer, register the consumer through the
vendor's API, and perform a story; then serve until Ctrl-C, so that you can try
requests of your own.`,
		Example: `  hirempire-emulator demo
  hirempire-emulator demo --once --speed max`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(a)
			if err != nil {
				return err
			}
			if err := checkAddr(addr); err != nil {
				return err
			}
			if name == "-" {
				return badFlag("story", "the demo reads none from standard input: name a scenario or a file")
			}
			opts.Addr = addr
			d := &demonstration{app: a, flags: &f, opts: opts, fallback: !cmd.Flags().Changed("addr"), story: name, once: once}
			return d.show(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&addr, "addr", defaultAddr, "`ADDRESS` of the emulator; where the default is taken, a free port is used")
	cmd.Flags().StringVar(&name, "story", "hiring-happy-path", "`SCENARIO` to perform, a name or a file")
	cmd.Flags().BoolVar(&once, "once", false, "exit after the story")
	f.add(cmd.Flags(), "error")
	f.addStories(cmd.Flags())
	cmd.Flags().Lookup("speed").DefValue = "4"
	f.speed = "4"
	return cmd
}

// demonstration is one showing of the demo.
type demonstration struct {
	*app
	flags    *emulatorFlags
	opts     emulator.Options
	fallback bool // to a free port
	story    string
	once     bool
}

func (d *demonstration) show(ctx context.Context) error {
	e, err := d.start(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = drain(e, drainTime) }()
	stories, err := d.openStories(e.Library(), d.flags.scenarios, []string{d.story}, d.opts)
	if err != nil {
		return err
	}
	if len(stories) > 1 {
		return fmt.Errorf("--story %s means %d files, the demo performs one", d.story, len(stories))
	}
	story := stories[0]
	out := &arrivals{w: d.stdout}
	stop, consumerURL, err := listenAt(ctx, "127.0.0.1:0", emulator.NewConsumer(out.tell))
	if err != nil {
		return failed(err)
	}
	defer func() { _ = stop() }()
	hook := consumerURL + "/webhook"
	fmt.Fprintf(d.stdout, "The emulator serves the vendor's API at %s/v1, a consumer listens at %s.\n\n", baseURL(e), hook)

	fmt.Fprintf(d.stdout, "The consumer registers:\n\n%s\n\n", d.curl(baseURL(e), hook))
	answer, err := register(ctx, baseURL(e), hook)
	if err != nil {
		return failed(err)
	}
	fmt.Fprintf(d.stdout, "\n%s\n\n", answer)

	fmt.Fprintf(d.stdout, "The story %s begins: %s\n\n", oneLined(story.Name), oneLined(story.Description))
	r, err := e.Perform(ctx, emulator.Performance{Scenario: story.Scenario, Beside: story.beside, Token: demoToken, Seed: d.opts.Seed})
	if err != nil {
		return failed(err)
	}
	fmt.Fprintln(d.stdout)
	r.WriteText(d.stdout, r.Rerun("URL", d.flags.again(defaultToken)...))
	if err := verdict([]report.Run{r}, false); err != nil || d.once {
		return err
	}
	fmt.Fprintf(d.stdout, `
Both still serve until Ctrl-C. In another terminal, send one more event:

  curl -s '%s/_emulator/events?wait=5s' -H 'Content-Type: application/json' -d '{"event":"meeting_booked"}'

or perform a story against your own consumer:

  %s
`, baseURL(e), report.Command("hirempire-emulator", "run", cmp.Or(story.File, d.story), "--to", "http://localhost:3000/webhook"))
	<-ctx.Done()
	return nil
}

// start starts an emulator at the address or, if that is taken and nobody asked
// for it, at a free one.
func (d *demonstration) start(ctx context.Context) (*emulator.Emulator, error) {
	for {
		e, err := d.flags.newEmulator(d.opts)
		if err != nil {
			return nil, err
		}
		err = e.Start(ctx)
		switch {
		case err == nil:
			return e, nil
		case d.fallback: // whatever the reason: systems name a taken port differently
			fmt.Fprintf(d.stderr, "%s; a free port is used instead\n", err)
			d.fallback, d.opts.Addr = false, "127.0.0.1:0"
		default:
			return nil, d.cannotListen("addr", d.opts.Addr, err)
		}
	}
}

func registration(hook string) string {
	return `{"request_url":"` + hook + `","events":["job_added","job_activated","job_deactivated","job_deleted",` +
		`"applicant_applied","cv_upload_completed","meeting_booked"]}`
}

// curl is the request of [register], to be copied.
func (d *demonstration) curl(base, hook string) string {
	return fmt.Sprintf("  curl -s %s/v1/create-webhook -H 'Authorization: Bearer %s' \\\n    -d '%s'", base, demoToken, registration(hook))
}

// register calls the vendor's API as any client does, and returns its answer.
func register(ctx context.Context, base, hook string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/create-webhook", bytes.NewBufferString(registration(hook)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+demoToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the consumer was not registered: %s: %s", res.Status, answer)
	}
	return answer, err
}
