package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"[[ module ]]/internal/config"
)

// healthcheck asks a running service, this host's unless an address is given: for `helm test`, where no image needs curl.
func healthcheck(cfg config.Config, args []string) error {
	url := fmt.Sprintf("http://127.0.0.1:%d/ready", cfg.Port)
	if len(args) > 0 {
		url = args[0]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
