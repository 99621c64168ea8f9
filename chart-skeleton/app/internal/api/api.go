// Package api is what the service does. Begin here.
package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"[[ module ]]/internal/httpclient"
)

const largestBody = 1 << 20

// API answers the service's requests.
type API struct {
	Version  string
	Upstream string // another service's address; empty for none
	Client   *httpclient.Client
}

// Register adds the routes.
func (a *API) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", a.about)
	mux.HandleFunc("POST /v1/echo", a.echo)
	mux.HandleFunc("GET /v1/upstream", a.upstream)
}

func (a *API) about(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]string{"service": "[[ service ]]", "version": a.Version})
}

// echo is an example of a request with a body: bounded, and refused where it says what nobody asked for.
func (a *API) echo(w http.ResponseWriter, r *http.Request) {
	var message struct {
		Text string `json:"text"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&message); err != nil {
		code := http.StatusBadRequest
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			code = http.StatusRequestEntityTooLarge
		}
		write(w, code, map[string]string{"error": err.Error()})
		return
	}
	write(w, http.StatusOK, message)
}

// upstream is an example of asking another service within the time that the caller has.
func (a *API) upstream(w http.ResponseWriter, r *http.Request) {
	if a.Upstream == "" {
		write(w, http.StatusNotImplemented, map[string]string{"error": "UPSTREAM_URL is not set"})
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, a.Upstream, nil)
	if err != nil {
		write(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	response, err := a.Client.Do(request)
	if err != nil {
		code := http.StatusBadGateway
		if errors.Is(err, httpclient.ErrOpen) {
			code = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", "10")
		}
		write(w, code, map[string]string{"error": err.Error()})
		return
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, largestBody)
	write(w, http.StatusOK, map[string]int{"upstream": response.StatusCode})
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
