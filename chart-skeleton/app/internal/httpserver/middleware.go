package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"[[ module ]]/internal/metrics"
)

// Middleware is what stands around a handler.
type Middleware func(http.Handler) http.Handler

// Chain puts middlewares around a handler; the first is the outermost.
func Chain(handler http.Handler, around ...Middleware) http.Handler {
	for at := len(around) - 1; at >= 0; at-- {
		handler = around[at](handler)
	}
	return handler
}

// Observe logs and counts each request, under its route and not its path: paths are without number.
func Observe(log *slog.Logger, registry *metrics.Registry) Middleware {
	requests := registry.Counter("http_requests_total", "Requests answered.", "method", "route", "code")
	took := registry.Histogram("http_request_duration_seconds", "How long they took.", metrics.Seconds, "method", "route")
	var running atomic.Int64
	registry.Gauge("http_requests_in_flight", "Requests being answered.", func() float64 { return float64(running.Load()) })
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Add(-1)
			start, recorder := time.Now(), &recorder{ResponseWriter: w, code: http.StatusOK}
			defer func() {
				route := r.Pattern
				if route == "" {
					route = "none"
				}
				spent := time.Since(start)
				requests.Add(1, method(r), route, strconv.Itoa(recorder.code))
				took.Observe(spent.Seconds(), method(r), route)
				level := slog.LevelDebug
				if recorder.code >= http.StatusInternalServerError {
					level = slog.LevelError
				}
				log.Log(r.Context(), level, "request", "method", r.Method, "route", route, "code", recorder.code, "took", spent)
			}()
			next.ServeHTTP(recorder, r)
		})
	}
}

// Recover answers 500 where a handler panics, and logs where it did.
func Recover(log *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				reason := recover()
				if reason == nil {
					return
				}
				if reason == http.ErrAbortHandler {
					panic(reason)
				}
				log.Error("a handler panicked", "route", r.Pattern, "reason", reason, "stack", string(debug.Stack()))
				http.Error(w, "internal error", http.StatusInternalServerError)
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// Limit answers 429 at once while as many requests run as may: better than a queue in which all of them time out.
func Limit(most int) Middleware {
	free := make(chan struct{}, most)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case free <- struct{}{}:
				defer func() { <-free }()
				next.ServeHTTP(w, r)
			default:
				w.Header().Set("Retry-After", "1")
				http.Error(w, "too many requests at a time", http.StatusTooManyRequests)
			}
		})
	}
}

// Timeout ends a request's context after a while, so that what it waits for is given up.
func Timeout(after time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if after <= 0 {
				next.ServeHTTP(w, r)
				return
			}
			ctx, cancel := context.WithTimeout(r.Context(), after)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

type recorder struct {
	http.ResponseWriter
	code  int
	wrote bool
}

func (r *recorder) WriteHeader(code int) {
	if !r.wrote && code >= http.StatusOK {
		r.code, r.wrote = code, true
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(data []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// method is one of a known few: anybody may send a word of their own, and each would be a series.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}
