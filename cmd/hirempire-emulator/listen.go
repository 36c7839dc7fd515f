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
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// listen runs the built-in consumer.
func (a *app) listen() *cobra.Command {
	var addr string
	var asJSON, bodies bool
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Run a consumer that answers challenges and prints what arrives",
		Long: `Run a consumer: it answers challenges as documented, every event with 200, on
any path, and prints a line for each.`,
		Example: `  hirempire-emulator listen
  hirempire-emulator listen --addr 127.0.0.1:4000 --bodies`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkAddr(addr); err != nil {
				return err
			}
			out := &arrivals{w: a.stdout, asJSON: asJSON, bodies: bodies}
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
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each arrival, with its body")
	cmd.Flags().BoolVar(&bodies, "bodies", false, "print each payload, formatted")
	return cmd
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
	fmt.Fprintln(p.w, summary(a))
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

// summary says in a line what arrived: for an event when, who and what.
func summary(a emulator.Arrival) string {
	if a.Challenge != "" {
		return "challenge            " + a.Challenge + ", answered"
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
