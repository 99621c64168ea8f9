// Package httpclient asks other services: with time-outs, with retries where they are safe, and not at all for a while
// where a service keeps failing.
package httpclient

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Client asks one service. Share it: it keeps connections.
type Client struct {
	HTTP    *http.Client
	Breaker *Breaker
	Tries   int           // how often one request is sent at most
	Wait    time.Duration // how long the first wait between two tries is at most; it doubles
	Longest time.Duration // how long a wait is at most
}

// New makes a client; each try may take as long as the timeout.
func New(timeout time.Duration) *Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: timeout,
		// Less than servers keep theirs: a connection that is just being closed fails a request.
		IdleConnTimeout:     30 * time.Second,
		MaxIdleConnsPerHost: 32,
		ForceAttemptHTTP2:   true,
	}
	return &Client{
		HTTP:    &http.Client{Transport: transport, Timeout: timeout},
		Breaker: &Breaker{Failures: 5, Open: 10 * time.Second},
		Tries:   3,
		Wait:    100 * time.Millisecond,
		Longest: 2 * time.Second,
	}
}

// Do sends the request, again where that is safe and may help. The caller closes the body.
//
// Only idempotent requests are sent again (RFC 9110, 9.2.2), or those with an Idempotency-Key, and only after an answer
// that says "later" or no answer at all. ErrOpen means that nothing was sent.
func (c *Client) Do(request *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		if err := c.Breaker.Allow(); err != nil {
			return nil, err
		}
		response, err := c.HTTP.Do(request)
		// Who gave up was the caller: that says nothing about the service.
		if request.Context().Err() == nil {
			c.Breaker.Record(err == nil && response.StatusCode < http.StatusInternalServerError)
		} else {
			c.Breaker.Forget()
		}
		if try >= c.Tries || !again(request, response, err) {
			return response, err
		}
		wait := c.wait(try, response)
		if response != nil {
			// What is left of a short body lets the connection be used again.
			_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
			_ = response.Body.Close()
		}
		if err := sleep(request.Context(), wait); err != nil {
			return nil, err
		}
		if request.GetBody != nil {
			body, err := request.GetBody()
			if err != nil {
				return nil, err
			}
			request = request.Clone(request.Context())
			request.Body = body
		}
	}
}

// wait is a random part of a growing time (full jitter), or as long as the service asks for.
func (c *Client) wait(try int, response *http.Response) time.Duration {
	if response != nil {
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 {
			return min(time.Duration(seconds)*time.Second, c.Longest)
		}
	}
	most := min(c.Wait<<(try-1), c.Longest)
	return rand.N(max(most, 1))
}

func again(request *http.Request, response *http.Response, err error) bool {
	if request.Context().Err() != nil || !idempotent(request) {
		return false
	}
	if request.Body != nil && request.Body != http.NoBody && request.GetBody == nil {
		return false
	}
	if err != nil {
		return !errors.Is(err, context.Canceled)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

func idempotent(request *http.Request) bool {
	switch request.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	default:
		return request.Header.Get("Idempotency-Key") != ""
	}
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
