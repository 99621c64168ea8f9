// Package httpserver serves HTTP, and stops without losing a request.
package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Server is an HTTP server that takes no more once it drains.
type Server struct {
	http     http.Server
	listener net.Listener
	draining atomic.Bool
}

// Listen opens the port; nobody is served before Serve. A timeout of 0 sets none for the handler.
func Listen(port int, handler http.Handler, timeout time.Duration, log *slog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	server := &Server{listener: listener}
	server.http = http.Server{
		Handler: server.closing(handler),
		// A client that is slow, or says nothing, must not hold a connection for ever.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		// Longer than load balancers keep theirs (60 s as a rule), so that it is not the server who hangs up first.
		IdleTimeout:    120 * time.Second,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if timeout > 0 {
		server.http.WriteTimeout = timeout + 5*time.Second
	}
	return server, nil
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve serves until Stop; only a failure is an error.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Leave tells clients, with each answer, to come back on another connection: to another pod.
func (s *Server) Leave() { s.draining.Store(true) }

// Stop takes no more connections, waits for the requests that run, and cuts them off when the context ends.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	return err
}

func (s *Server) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
