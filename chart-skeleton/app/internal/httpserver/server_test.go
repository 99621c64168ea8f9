package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"[[ module ]]/internal/metrics"
)

var quiet = slog.New(slog.DiscardHandler)

func get(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

func TestMoreThanMayRunIsRefusedAtOnce(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	handler := Limit(1)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-finish
	}))
	first := make(chan int)
	go func() { first <- get(handler, "GET", "/").Code }()
	<-begun
	if got := get(handler, "GET", "/"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q", got.Code, got.Header().Get("Retry-After"))
	}
	close(finish)
	if code := <-first; code != http.StatusOK {
		t.Errorf("got %d", code)
	}
	go func() { <-begun }()
	if got := get(handler, "GET", "/"); got.Code != http.StatusOK {
		t.Errorf("its place was not given back: got %d", got.Code)
	}
}

func TestAPanicIsAnsweredAndCountedUnderItsRoute(t *testing.T) {
	registry, mux := metrics.New("test"), http.NewServeMux()
	mux.HandleFunc("GET /panic/{id}", func(http.ResponseWriter, *http.Request) { panic("no") })
	mux.HandleFunc("GET /fine/{id}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	handler := Chain(mux, Timeout(time.Second), Observe(quiet, registry), Recover(quiet))
	if got := get(handler, "GET", "/panic/1"); got.Code != http.StatusInternalServerError {
		t.Errorf("got %d", got.Code)
	}
	get(handler, "GET", "/fine/1")
	get(handler, "GET", "/fine/2")
	get(handler, "ODD", "/nowhere")
	text := get(registry, "GET", "/metrics").Body.String()
	for _, line := range []string{
		`http_requests_total{method="GET",route="GET /panic/{id}",code="500"} 1`,
		`http_requests_total{method="GET",route="GET /fine/{id}",code="200"} 2`,
		`http_requests_total{method="other",route="none",code="404"} 1`,
		`http_requests_in_flight 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is not in\n%s", line, text)
		}
	}
}

func TestARequestThatTakesTooLongIsGivenUp(t *testing.T) {
	handler := Timeout(10 * time.Millisecond)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		w.WriteHeader(http.StatusGatewayTimeout)
	}))
	if got := get(handler, "GET", "/"); got.Code != http.StatusGatewayTimeout {
		t.Errorf("got %d", got.Code)
	}
}

func serving(t *testing.T, handler http.HandlerFunc, change ...func(*http.Server)) (*Server, string) {
	t.Helper()
	server, err := Listen(0, handler, time.Second, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range change {
		one(&server.http)
	}
	go func() { _ = server.Serve() }()
	t.Cleanup(func() { _ = server.http.Close() })
	_, port, _ := net.SplitHostPort(server.Addr().String())
	return server, "http://127.0.0.1:" + port
}

func TestWhileItDrainsClientsAreToldToLeaveAndStillAnswered(t *testing.T) {
	server, url := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	for _, leaving := range []bool{false, true} {
		if leaving {
			server.Leave()
		}
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.Close != leaving || response.StatusCode != http.StatusOK {
			t.Errorf("leaving is %v: got %d, close %v", leaving, response.StatusCode, response.Close)
		}
	}
}

func TestStopWaitsForARequestAndCutsItOffInTheEnd(t *testing.T) {
	for name, long := range map[string]bool{"in time": false, "too long": true} {
		t.Run(name, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			server, url := serving(t, func(w http.ResponseWriter, r *http.Request) {
				close(begun)
				select {
				case <-finish:
				case <-r.Context().Done():
				}
				fmt.Fprint(w, "fine")
			})
			text := make(chan string)
			go func() {
				response, err := http.Get(url)
				if err != nil {
					text <- "lost"
					return
				}
				defer response.Body.Close()
				body, _ := io.ReadAll(response.Body)
				text <- string(body)
			}()
			<-begun
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			want := "lost"
			if !long {
				want = "fine"
				time.AfterFunc(10*time.Millisecond, func() { close(finish) })
			}
			if err := server.Stop(ctx); (err != nil) != long {
				t.Errorf("got %v", err)
			}
			if got := <-text; got != want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAClientThatSaysNothingHoldsNoConnection(t *testing.T) {
	impatient := func(server *http.Server) { server.ReadHeaderTimeout = 20 * time.Millisecond }
	_, url := serving(t, func(http.ResponseWriter, *http.Request) {}, impatient)
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprint(connection, "GET / HTTP/1.1\r\n")
	_ = connection.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(bufio.NewReader(connection)); err != nil {
		t.Errorf("the server did not hang up: %v", err)
	}
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	server, _ := serving(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := Listen(server.Addr().(*net.TCPAddr).Port, nil, 0, quiet); err == nil {
		t.Error("no error")
	}
}
