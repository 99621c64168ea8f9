package main

import (
	"context"
	"log/slog"
	"net/http"

	"[[ module ]]/internal/config"
	"[[ module ]]/internal/health"
	"[[ module ]]/internal/metrics"
	"[[ module ]]/internal/worker"
)

// run works until the context ends, and then ends what is begun.
func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	state, registry := &health.State{}, metrics.New(version)
	probes := http.NewServeMux()
	state.Register(probes)
	servers := newServers(cfg, state, log)
	if err := servers.listen(cfg.Port, probes, cfg.Timeout); err != nil {
		return err
	}
	if err := servers.listen(cfg.MetricsPort, metricsHandler(registry), 0); err != nil {
		return err
	}
	pool := &worker.Pool{
		// Put the queue of your broker here.
		Queue:   worker.NewMemory(cfg.MaxConcurrent),
		Handle:  worker.Log(log),
		Workers: cfg.MaxConcurrent,
		Timeout: cfg.Timeout,
		Log:     log,
	}
	pool.Observe(registry)
	pool.Start()
	return servers.run(ctx, pool.Stop)
}
