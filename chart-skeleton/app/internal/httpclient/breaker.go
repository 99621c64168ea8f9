package httpclient

import (
	"errors"
	"sync"
	"time"
)

// ErrOpen says that a service failed again and again, and is left alone for a while.
var ErrOpen = errors.New("the service keeps failing and is not asked for a while")

// Breaker is closed while a service works, open for a while after it failed several times in a row, and then half-open:
// one request tries whether it works again.
type Breaker struct {
	Failures int           // how many in a row open it
	Open     time.Duration // for how long

	mu     sync.Mutex
	failed int
	until  time.Time
	trying bool
	now    func() time.Time // a test's clock; nil for time.Now
}

// Allow says whether a request may be sent; each one that may must be recorded, or forgotten.
func (b *Breaker) Allow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < b.Failures {
		return nil
	}
	if b.trying || b.clock().Before(b.until) {
		return ErrOpen
	}
	b.trying = true
	return nil
}

// Record counts how a request ended.
func (b *Breaker) Record(fine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	if fine {
		b.failed = 0
		return
	}
	b.failed++
	if b.failed >= b.Failures {
		b.until = b.clock().Add(b.Open)
	}
}

// Forget counts nothing: the request says nothing about the service.
func (b *Breaker) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
}

func (b *Breaker) clock() time.Time {
	if b.now != nil {
		return b.now()
	}
	return time.Now()
}
