package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// listen runs the built-in consumer.
func (a *app) listen() *cobra.Command {
	var addr, kind string
	var asJSON, bodies bool
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Run a consumer that answers challenges and prints what arrives",
		Long: `Run a consumer: it answers challenges as documented, every event with 200, on
any path, and prints a line for each.

--misbehave makes it a bad consumer of a kind that "listen --misbehave list"
prints: one that hangs, resets connections, sends a body without an end. Those
of the class challenge fail the challenge, those of the class TLS are called
with --challenge off; the others are registered, and then misbehave.`,
		Example: `  hirempire-emulator listen
  hirempire-emulator listen --addr 127.0.0.1:4000 --bodies
  hirempire-emulator listen --misbehave list
  hirempire-emulator listen --misbehave hang-after-headers`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind == kindsList {
				return a.listMisbehaviours(asJSON)
			}
			if err := checkAddr(addr); err != nil {
				return err
			}
			out := &arrivals{w: a.stdout, asJSON: asJSON, bodies: bodies, misbehaves: kind != ""}
			if kind != "" {
				m, err := misbehaviour(kind)
				if err != nil {
					return err
				}
				return a.misbehave(cmd.Context(), addr, m, out)
			}
			stop, url, err := listenAt(cmd.Context(), addr, emulator.NewConsumer(out.tell))
			if err != nil {
				return a.cannotListen("addr", addr, err)
			}
			fmt.Fprintf(a.stderr, "listening at %s/webhook; Ctrl-C ends it\n", url)
			<-cmd.Context().Done()
			return stop()
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:3000", "`ADDRESS` to listen on")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each arrival, with its body; of the list, an array")
	cmd.Flags().StringVar(&kind, "misbehave", "", "be a bad consumer of a `KIND`; list prints them all")
	_ = cmd.RegisterFlagCompletionFunc("misbehave", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		completions := []string{cobra.CompletionWithDesc(kindsList, "print them all")}
		for _, m := range emulator.Misbehaviours() {
			completions = append(completions, cobra.CompletionWithDesc(m.Name, m.Doc))
		}
		return completions, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}) // fails only for a flag that does not exist
	cmd.Flags().BoolVar(&bodies, "bodies", false, "print each payload, formatted")
	return cmd
}

// kindsList is what --misbehave takes instead of a kind, to list them.
const kindsList = "list"

// misbehaviour returns the one of that name.
func misbehaviour(name string) (emulator.Misbehaviour, error) {
	var known []string
	for _, m := range emulator.Misbehaviours() {
		if m.Name == name {
			return m, nil
		}
		known = append(known, m.Name)
	}
	meant := "" // they are too many to be listed here
	if near := closest(name, known); near != "" {
		meant = fmt.Sprintf(", did you mean %s?", near)
	}
	return emulator.Misbehaviour{}, badFlag("misbehave", "unknown kind %q%s\nAll kinds: hirempire-emulator listen --misbehave %s", name, meant, kindsList)
}

type misbehaviourView struct {
	Name        string `json:"name"`
	Class       string `json:"class"`
	Description string `json:"description"`
	HTTPS       bool   `json:"https"` // its URL begins so
}

func (a *app) listMisbehaviours(asJSON bool) error {
	var views []misbehaviourView
	for _, m := range emulator.Misbehaviours() {
		views = append(views, misbehaviourView{m.Name, m.Class, m.Doc, m.HTTPS})
	}
	if asJSON {
		return writeJSON(a.stdout, views)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, v := range views {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Class, v.Name, v.Description)
	}
	return w.Flush()
}

// misbehave runs a bad consumer until the context ends.
func (a *app) misbehave(ctx context.Context, addr string, m emulator.Misbehaviour, out *arrivals) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return a.cannotListen("addr", addr, err)
	}
	scheme := "http"
	if m.HTTPS {
		scheme = "https"
	}
	fmt.Fprintf(a.stderr, "listening at %s://%s/webhook as %s: %s; Ctrl-C ends it\n", scheme, reachable(l.Addr().String()), m.Name, m.Doc)
	if err := emulator.ServeMisbehaving(ctx, l, m, out.tell); err != nil {
		return failed(cause(err))
	}
	return nil
}

// listenAt serves a handler until stop is called.
func listenAt(ctx context.Context, addr string, h http.Handler) (stop func() error, url string, err error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		err := server.Shutdown(ctx)
		serving.Wait()
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		return err
	}, "http://" + reachable(l.Addr().String()), nil
}

// arrivals prints what reaches the consumer, a line each.
type arrivals struct {
	mu     sync.Mutex
	w      io.Writer
	asJSON bool
	bodies bool
	// misbehaves leaves out how a challenge was answered.
	misbehaves bool
}

func (p *arrivals) tell(a emulator.Arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asJSON {
		line := map[string]any{"event": a.Event, "body": string(a.Body)}
		if a.Challenge != "" {
			line = map[string]any{"challenge": a.Challenge, "body": string(a.Body)}
		}
		b, _ := json.Marshal(line) // of strings
		fmt.Fprintf(p.w, "%s\n", b)
		return
	}
	line := summary(a)
	if p.misbehaves && a.Challenge != "" {
		line = strings.TrimSuffix(line, answered)
	}
	fmt.Fprintln(p.w, oneLined(line))
	if p.bodies && a.Challenge == "" {
		var pretty strings.Builder
		enc := json.NewEncoder(&pretty)
		enc.SetEscapeHTML(false)
		enc.SetIndent("    ", "  ")
		if !json.Valid(a.Body) || enc.Encode(json.RawMessage(a.Body)) != nil {
			pretty.Reset()
			fmt.Fprintf(&pretty, "%q\n", a.Body)
		}
		fmt.Fprint(p.w, "    ", pretty.String())
	}
}

const answered = ", answered"

// summary says in a line what arrived: for an event when, who and what.
func summary(a emulator.Arrival) string {
	if a.Challenge != "" {
		return "challenge            " + a.Challenge + answered
	}
	var p struct {
		Timestamp time.Time
		Company   struct{ Name, Company string }
		Job       struct{ Title string }
		Applicant struct {
			Name         string
			AIEvaluation struct {
				Score    *float64
				Decision string
			} `json:"ai_evaluation"`
		}
		Meeting struct {
			ScheduledAt time.Time `json:"scheduled_at"`
		}
	}
	_ = json.Unmarshal(a.Body, &p) // what has another type is left out
	if a.Event == "" {
		return fmt.Sprintf("something else       %d bytes: %.60q", len(a.Body), a.Body)
	}
	about := p.Job.Title
	if company := p.Company.Name + p.Company.Company; company != "" {
		about += " at " + company
	}
	if p.Applicant.Name != "" {
		about = p.Applicant.Name + ", " + about
	}
	if s := p.Applicant.AIEvaluation.Score; s != nil {
		about += fmt.Sprintf(", score %g: %s", *s, p.Applicant.AIEvaluation.Decision)
	}
	if !p.Meeting.ScheduledAt.IsZero() {
		about += p.Meeting.ScheduledAt.Format(", on Mon 2 Jan 15:04 MST")
	}
	return fmt.Sprintf("%-20s %s", a.Event, about)
}
