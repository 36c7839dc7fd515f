package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hirempire-emulator": main})
}

// The scripts speak to the command as its users do: arguments, environment, exit
// code, standard output and error. They know, beside what testscript has:
//
//	exits CODE COMMAND...   runs a command that must end with that code
//	listening ADDRESS       waits until something listens there
//
// and the addresses $EMULATOR and $CONSUMER, where nothing listens yet, and the
// URLs $GOOD, $BROKEN and $DEAF of consumers: one that does as documented, one
// that passes the challenge and answers events with 500, one that fails the
// challenge.
func TestScripts(t *testing.T) {
	t.Parallel()
	good := emulator.NewConsumer(func(emulator.Arrival) {})
	mux := http.NewServeMux()
	mux.Handle("/good", good)
	mux.Handle("/broken", broken(t))
	mux.HandleFunc("/deaf", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"challenge":"no"}`)) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close) // after the scripts, which run in parallel

	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"listening": listening,
		},
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"EMULATOR", "CONSUMER"} {
				addr, err := freeAddr()
				if err != nil {
					return err
				}
				env.Setenv(name, addr)
			}
			env.Setenv("GOOD", server.URL+"/good")
			env.Setenv("BROKEN", server.URL+"/broken")
			env.Setenv("DEAF", server.URL+"/deaf")
			return nil
		},
	})
}

// broken returns a consumer that passes the challenge and fails every event.
func broken(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		challenge := false
		emulator.NewConsumer(func(a emulator.Arrival) { challenge = a.Challenge != "" }).ServeHTTP(recorded, r)
		if !challenge {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("ended with %d, want %d", got, want)
	}
}

func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening ADDRESS")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", args[0])
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("nothing listens at %s: %v", args[0], err)
		}
	}
}

// freeAddr returns an address on this machine that nothing listens on. Its port is
// below those that systems hand out by themselves, or whoever asks for any port
// meanwhile might get this one.
func freeAddr() (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no port is free")
}
