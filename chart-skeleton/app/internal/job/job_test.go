package job

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"[[ module ]]/internal/httpclient"
)

func run(ctx context.Context, upstream string) error {
	j := &Job{Upstream: upstream, Client: httpclient.New(time.Second), Log: slog.New(slog.DiscardHandler)}
	return j.Run(ctx)
}

func TestTheJobEndsWellOrSaysWhyNot(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/fine" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	for upstream, said := range map[string]string{"": "", server.URL + "/fine": "", server.URL + "/other": "404", "://": "missing"} {
		err := run(t.Context(), upstream)
		if (err == nil) != (said == "") || (err != nil && !strings.Contains(err.Error(), said)) {
			t.Errorf("with %q: %v", upstream, err)
		}
	}
}

func TestTheJobEndsWithItsContext(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if err := run(ctx, server.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
