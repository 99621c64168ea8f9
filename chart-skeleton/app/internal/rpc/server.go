// Package rpc serves gRPC, and stops without losing a call.
package rpc

import (
	"context"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"[[ module ]]/internal/metrics"
)

// Options is what a Server needs to know.
type Options struct {
	MaxConcurrent int           // how many calls run at a time, and no more
	Timeout       time.Duration // how long a call may take where its client set no deadline; 0 for ever
	Log           *slog.Logger
	Registry      *metrics.Registry
}

// Server is a gRPC server with health, reflection and limits.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
	log    *slog.Logger
}

// New makes a server; nobody is served before Serve.
func New(options Options) *Server {
	observed := observe(options.Log, options.Registry)
	limited := limit(options.MaxConcurrent)
	server := &Server{
		log:    options.Log,
		health: health.NewServer(),
		grpc: grpc.NewServer(
			grpc.ChainUnaryInterceptor(
				unary(observed), unary(recovered(options.Log)), unary(limited), deadline(options.Timeout),
			),
			grpc.ChainStreamInterceptor(stream(observed), stream(recovered(options.Log)), stream(limited)),
			grpc.KeepaliveParams(keepalive.ServerParameters{
				// Connections last for ever by default: new pods would get no calls.
				MaxConnectionAge:      5 * time.Minute,
				MaxConnectionAgeGrace: 30 * time.Second,
				// A client that is gone without a word is noticed.
				Time:    time.Minute,
				Timeout: 20 * time.Second,
			}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
				MinTime:             10 * time.Second,
				PermitWithoutStream: true,
			}),
		),
	}
	healthpb.RegisterHealthServer(server.grpc, server.health)
	return server
}

// Register adds the services, and what tells clients about them.
func (s *Server) Register() {
	registerEcho(s.grpc)
	reflection.Register(s.grpc)
}

// Serve serves until Stop.
func (s *Server) Serve(listener net.Listener) error {
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	return s.grpc.Serve(listener)
}

// Leave tells clients and probes that calls should go elsewhere; those that come are answered.
func (s *Server) Leave() { s.health.Shutdown() }

// Stop takes no more calls, waits for those that run, and cuts them off when the context ends.
func (s *Server) Stop(ctx context.Context) {
	ended := make(chan struct{})
	go func() { s.grpc.GracefulStop(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		s.log.Warn("calls are cut off")
		s.grpc.Stop()
		<-ended
	}
}
