// Package job is what runs at set times. Begin here.
package job

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"[[ module ]]/internal/httpclient"
)

const largestAnswer = 10 << 20

// Job does its work once. It may be run again after a failure, and twice by mistake: the second time must do no harm.
type Job struct {
	Upstream string // what it reads; empty for nothing
	Client   *httpclient.Client
	Log      *slog.Logger
}

// Run works until it is done, or the context ends.
func (j *Job) Run(ctx context.Context) error {
	if j.Upstream == "" {
		j.Log.Info("there is nothing to do: UPSTREAM_URL is not set")
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.Upstream, nil)
	if err != nil {
		return err
	}
	response, err := j.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", j.Upstream, response.Status)
	}
	read, err := io.CopyN(io.Discard, response.Body, largestAnswer)
	if err != nil && err != io.EOF {
		return err
	}
	j.Log.Info("done", "bytes", read)
	return nil
}
