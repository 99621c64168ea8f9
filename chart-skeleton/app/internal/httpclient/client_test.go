package httpclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// service answers with these codes in turn, and then with 200.
func service(t *testing.T, codes ...int) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if at := int(asked.Add(1)) - 1; at < len(codes) {
			w.WriteHeader(codes[at])
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server, &asked
}

func client() *Client {
	c := New(time.Second)
	c.Wait, c.Longest = time.Millisecond, 5*time.Millisecond
	return c
}

func do(t *testing.T, c *Client, method, url, body, key string) (int, string, error) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text), nil
}

func TestOnlyWhatIsSafeIsSentAgain(t *testing.T) {
	for name, one := range map[string]struct {
		method, key string
		code        int
		asked       int64
	}{
		"a read":                   {http.MethodGet, "", 503, 3},
		"a whole write":            {http.MethodPut, "", 429, 3},
		"an order":                 {http.MethodPost, "", 503, 1},
		"an order with a key":      {http.MethodPost, "k", 503, 3},
		"an answer that is final":  {http.MethodGet, "", 404, 1},
		"a fault of the service's": {http.MethodGet, "", 500, 1},
	} {
		t.Run(name, func(t *testing.T) {
			server, asked := service(t, one.code, one.code, one.code, one.code)
			if code, _, err := do(t, client(), one.method, server.URL, "x", one.key); err != nil || code != one.code {
				t.Errorf("got %d, %v", code, err)
			}
			if asked.Load() != one.asked {
				t.Errorf("asked %d times, not %d", asked.Load(), one.asked)
			}
		})
	}
}

func TestTheBodyIsSentAgainWhole(t *testing.T) {
	server, _ := service(t, 502, 504)
	if code, text, err := do(t, client(), http.MethodPut, server.URL, "whole", ""); code != 200 || text != "whole" {
		t.Errorf("got %d %q, %v", code, text, err)
	}
}

func TestNoAnswerIsAReasonToAskAgain(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	if code, _, err := do(t, client(), http.MethodDelete, server.URL, "", ""); code != 200 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestASlowServiceIsGivenUp(t *testing.T) {
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(done)
	c := client()
	c.HTTP.Timeout, c.Tries = 20*time.Millisecond, 2
	if _, _, err := do(t, c, http.MethodGet, server.URL, "", ""); err == nil {
		t.Error("no error")
	}
}

func TestWhoGivesUpWaitsForNoFurtherTry(t *testing.T) {
	server, asked := service(t, 503, 503, 503)
	c := client()
	c.Wait, c.Longest = time.Hour, time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if _, err := c.Do(request); !errors.Is(err, context.DeadlineExceeded) || asked.Load() != 1 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

func TestAServiceThatKeepsFailingIsLeftAloneAndTriedAgain(t *testing.T) {
	now := time.Now()
	server, asked := service(t, 500, 500, 500)
	c := client()
	c.Tries = 1
	c.Breaker = &Breaker{Failures: 2, Open: time.Minute, now: func() time.Time { return now }}
	ask := func() error {
		_, _, err := do(t, c, http.MethodGet, server.URL, "", "")
		return err
	}
	for range 2 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); !errors.Is(err, ErrOpen) || asked.Load() != 2 {
		t.Fatalf("asked %d times, %v", asked.Load(), err)
	}
	now = now.Add(time.Minute)
	// Half-open: one request tries, fails, and opens it again.
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if err := ask(); !errors.Is(err, ErrOpen) {
		t.Fatalf("got %v", err)
	}
	now = now.Add(time.Minute)
	for range 3 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhileOneRequestTriesTheOthersWait(t *testing.T) {
	b := &Breaker{Failures: 1}
	b.Record(false)
	if err := b.Allow(); err != nil {
		t.Fatal(err)
	}
	if err := b.Allow(); !errors.Is(err, ErrOpen) {
		t.Errorf("got %v", err)
	}
	b.Forget()
	if err := b.Allow(); err != nil {
		t.Errorf("got %v", err)
	}
}
