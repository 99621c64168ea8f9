package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"[[ module ]]/internal/httpclient"
)

func ask(a *API, method, path, body string) *httptest.ResponseRecorder {
	mux, recorder := http.NewServeMux(), httptest.NewRecorder()
	a.Register(mux)
	mux.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	return recorder
}

func TestEachRouteAnswers(t *testing.T) {
	for name, one := range map[string]struct {
		method, path, body string
		code               int
		says               string
	}{
		"what it is":         {"GET", "/", "", 200, `"version":"v1"`},
		"an echo":            {"POST", "/v1/echo", `{"text":"hello"}`, 200, `"text":"hello"`},
		"no JSON":            {"POST", "/v1/echo", `hello`, 400, "error"},
		"an unknown field":   {"POST", "/v1/echo", `{"txet":"hello"}`, 400, "txet"},
		"a body without end": {"POST", "/v1/echo", `{"text":"` + strings.Repeat("x", largestBody) + `"}`, 413, "error"},
		"another method":     {"GET", "/v1/echo", "", 405, ""},
		"another path":       {"GET", "/nothing", "", 404, ""},
		"no upstream":        {"GET", "/v1/upstream", "", 501, "UPSTREAM_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(&API{Version: "v1"}, one.method, one.path, one.body)
			if got.Code != one.code || !strings.Contains(got.Body.String(), one.says) {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
		})
	}
}

func TestAnUpstreamThatFailsIsToldAndThenLeftAlone(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	a := &API{Upstream: upstream.URL, Client: httpclient.New(time.Second)}
	if got := ask(a, "GET", "/v1/upstream", ""); got.Code != 200 || !strings.Contains(got.Body.String(), "418") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	upstream.Close()
	a.Client.Tries = 1
	a.Client.Breaker = &httpclient.Breaker{Failures: 1, Open: time.Minute}
	for _, code := range []int{http.StatusBadGateway, http.StatusServiceUnavailable} {
		if got := ask(a, "GET", "/v1/upstream", ""); got.Code != code {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	}
}
