// Package health answers Kubernetes' probes.
package health

import (
	"net/http"
	"sync/atomic"
)

// State is whether the service takes work: not before it is initialised, and not while it drains.
type State struct{ ready atomic.Bool }

// Ready says whether it takes work.
func (s *State) Ready() bool { return s.ready.Load() }

// SetReady changes that.
func (s *State) SetReady(ready bool) { s.ready.Store(ready) }

// Register adds /healthz, which says that the process works, and /ready, which says whether it takes work.
// Neither asks other services: their failure must not restart this one.
func (s *State) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, true) })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Ready()) })
}

func answer(w http.ResponseWriter, fine bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !fine {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("not ready\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
