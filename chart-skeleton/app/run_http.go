package main

import (
	"context"
	"log/slog"
	"net/http"

	"[[ module ]]/internal/api"
	"[[ module ]]/internal/config"
	"[[ module ]]/internal/health"
	"[[ module ]]/internal/httpclient"
	"[[ module ]]/internal/httpserver"
	"[[ module ]]/internal/metrics"
)

// run serves until the context ends, and then drains.
func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	state, registry := &health.State{}, metrics.New(version)
	servers := newServers(cfg, state, log)
	if err := servers.listen(cfg.Port, handler(cfg, state, registry, log), cfg.Timeout); err != nil {
		return err
	}
	if err := servers.listen(cfg.MetricsPort, metricsHandler(registry), 0); err != nil {
		return err
	}
	// Open what the service needs here, databases for instance: until then the pod is not ready.
	return servers.run(ctx)
}

func handler(cfg config.Config, state *health.State, registry *metrics.Registry, log *slog.Logger) http.Handler {
	routes := http.NewServeMux()
	service := &api.API{Version: version, Upstream: cfg.Upstream, Client: httpclient.New(cfg.Timeout / 2)}
	service.Register(routes)

	root := http.NewServeMux()
	// The probes are answered whatever the load is.
	state.Register(root)
	root.Handle("/", httpserver.Chain(
		routes,
		httpserver.Timeout(cfg.Timeout),
		httpserver.Observe(log, registry),
		httpserver.Recover(log),
		httpserver.Limit(cfg.MaxConcurrent),
	))
	return root
}
