package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"[[ module ]]/internal/config"
	"[[ module ]]/internal/health"
	"[[ module ]]/internal/httpserver"
	"[[ module ]]/internal/metrics"
)

// servers are the process's HTTP servers, which start and stop together.
type servers struct {
	cfg   config.Config
	state *health.State
	log   *slog.Logger
	list  []*httpserver.Server
	leave func() // tells clients of what is not HTTP to go elsewhere; nil where there is nothing else
}

func newServers(cfg config.Config, state *health.State, log *slog.Logger) *servers {
	return &servers{cfg: cfg, state: state, log: log}
}

func (s *servers) listen(port int, handler http.Handler, timeout time.Duration) error {
	server, err := httpserver.Listen(port, handler, timeout, s.log)
	if err != nil {
		return errors.Join(err, s.stop(context.Background()))
	}
	s.list = append(s.list, server)
	return nil
}

// run serves until the context ends, drains, and returns the first failure. What is given besides runs until the
// context of the draining ends.
func (s *servers) run(ctx context.Context, besides ...func(context.Context)) error {
	failed := make(chan error, len(s.list))
	addresses := make([]string, len(s.list))
	for at, server := range s.list {
		addresses[at] = server.Addr().String()
		go func() { failed <- server.Serve() }()
	}
	s.state.SetReady(true)
	s.log.Info("ready", "addresses", addresses)

	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failed:
	}
	return errors.Join(failure, s.drain(besides))
}

func (s *servers) drain(besides []func(context.Context)) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
	defer cancel()
	// Kubernetes and clients see that they should go elsewhere while they are still served here.
	s.state.SetReady(false)
	for _, server := range s.list {
		server.Leave()
	}
	if s.leave != nil {
		s.leave()
	}
	// Said when it is so: who reads the line and asks /ready hears the same.
	s.log.Info("draining", "at_most", s.cfg.Drain)
	select {
	case <-time.After(s.cfg.DrainDelay):
	case <-ctx.Done():
	}
	for _, stop := range besides {
		stop(ctx)
	}
	return s.stop(ctx)
}

func (s *servers) stop(ctx context.Context) error {
	var failures []error
	for _, server := range s.list {
		failures = append(failures, server.Stop(ctx))
	}
	return errors.Join(failures...)
}

func metricsHandler(registry *metrics.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", registry)
	return mux
}
