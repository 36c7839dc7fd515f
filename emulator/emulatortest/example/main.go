// Command example is a small application that follows what happens on Hirempire. It
// registers a webhook when it starts and keeps jobs, applicants and meetings in an
// SQLite database. GET /applicants lists who applied.
//
// It is here to be copied from, its tests above all: see app_test.go.
package main

import (
	"cmp"
	"context"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:3000"))
	if err != nil {
		log.Fatal(err)
	}
	app, err := Start(ctx, Config{
		API:      os.Getenv("HIREMPIRE_API"),
		Token:    os.Getenv("HIREMPIRE_TOKEN"),
		URL:      os.Getenv("PUBLIC_URL"),
		Database: cmp.Or(os.Getenv("DATABASE"), "applicants.db"),
		Listener: listener,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("registered; listening on %s", listener.Addr())
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := app.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
