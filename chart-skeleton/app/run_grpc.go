package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"[[ module ]]/internal/config"
	"[[ module ]]/internal/health"
	"[[ module ]]/internal/metrics"
	"[[ module ]]/internal/rpc"
)

// run serves until the context ends, and then drains.
func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	state, registry := &health.State{}, metrics.New(version)
	// gRPC is what the service answers; HTTP beside it is for people and for probes that speak nothing else.
	probes := http.NewServeMux()
	state.Register(probes)
	servers := newServers(cfg, state, log)
	if err := servers.listen(cfg.Port, probes, cfg.Timeout); err != nil {
		return err
	}
	if err := servers.listen(cfg.MetricsPort, metricsHandler(registry), 0); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(cfg.GRPCPort)))
	if err != nil {
		return fmt.Errorf("gRPC: %w", err)
	}
	log.Info("gRPC listens", "address", listener.Addr().String())

	server := rpc.New(rpc.Options{MaxConcurrent: cfg.MaxConcurrent, Timeout: cfg.Timeout, Log: log, Registry: registry})
	server.Register()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		defer cancel()
		failed <- server.Serve(listener)
	}()
	servers.leave = server.Leave
	return errors.Join(servers.run(ctx, server.Stop), <-failed)
}
