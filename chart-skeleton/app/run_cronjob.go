package main

import (
	"context"
	"errors"
	"log/slog"

	"[[ module ]]/internal/config"
	"[[ module ]]/internal/httpclient"
	"[[ module ]]/internal/job"
)

// run does the job once. SIGTERM ends its context; it has DRAIN_SECONDS to put away what it has begun.
func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	one := &job.Job{Upstream: cfg.Upstream, Client: httpclient.New(cfg.Timeout), Log: log}
	done := make(chan error, 1)
	go func() { done <- one.Run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	log.Info("draining", "at_most", cfg.Drain)
	ended, cancel := context.WithTimeout(context.Background(), cfg.Drain)
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-ended.Done():
		return errors.New("the job did not end in time")
	}
}
