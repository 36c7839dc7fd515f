package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"
)

// Config says what an App needs to start.
type Config struct {
	API      string       // base URL; default https://api.hirempire.com/v1
	Token    string       // of the Hirempire workspace
	URL      string       // under which Hirempire reaches the application; default the listener's
	Database string       // file
	Client   *http.Client // for the API; default [http.DefaultClient]
	Listener net.Listener
}

// An App takes webhooks and keeps what they tell.
type App struct {
	store  *store
	server *http.Server
	served chan error
}

// Start serves, and returns once the webhook is registered.
func Start(ctx context.Context, cfg Config) (*App, error) {
	store, err := openStore(ctx, cfg.Database)
	if err != nil {
		return nil, errors.Join(err, cfg.Listener.Close())
	}
	a := &App{store: store, served: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook", a.webhook)
	mux.HandleFunc("GET /applicants", a.listApplicants)
	a.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // a slow sender is not a lost event
		IdleTimeout:       2 * time.Minute,
	}
	// Served first: the challenge comes while the registration is under way.
	go func() { a.served <- a.server.Serve(cfg.Listener) }()
	h := hirempire{
		base:   cmp.Or(cfg.API, "https://api.hirempire.com/v1"),
		token:  cfg.Token,
		client: cmp.Or(cfg.Client, http.DefaultClient),
	}
	url := cmp.Or(cfg.URL, "http://"+cfg.Listener.Addr().String()) + "/webhook"
	if err := h.subscribe(ctx, url, subscribed); err != nil {
		return nil, errors.Join(err, a.Shutdown(ctx))
	}
	return a, nil
}

// Shutdown takes no more events, and returns when those that have come are stored.
func (a *App) Shutdown(ctx context.Context) error {
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, a.server.Close())
	}
	<-a.served
	return errors.Join(err, a.store.close())
}

func (a *App) listApplicants(w http.ResponseWriter, r *http.Request) {
	all, err := a.store.applicants(r.Context())
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all)
}
