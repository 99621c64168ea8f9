// Package worker takes messages from a queue and works on several at a time.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"[[ module ]]/internal/metrics"
)

// ErrClosed says that a queue has no more messages, and will have none.
var ErrClosed = errors.New("the queue is closed")

// Message is a piece of work. It comes again unless Done is called: at least once, so that nothing is lost; Handle has
// to take the same message twice.
type Message struct {
	ID   string
	Body []byte
	Done func() error
}

// Queue is where messages come from.
type Queue interface {
	// Next waits for a message; an error of the context's means that nothing was taken.
	Next(ctx context.Context) (Message, error)
}

// Handler works on a message; an error leaves it to the queue to send it again.
type Handler func(ctx context.Context, message Message) error

// Pool is a number of workers on one queue.
type Pool struct {
	Queue   Queue
	Handle  Handler
	Workers int
	Timeout time.Duration // how long a message may take; 0 for ever
	Log     *slog.Logger

	group    sync.WaitGroup
	leave    context.CancelFunc // no more messages
	giveUp   context.CancelFunc // and those that are worked on, too
	messages *metrics.Counter
	took     *metrics.Histogram
}

// Observe counts the messages.
func (p *Pool) Observe(registry *metrics.Registry) {
	p.messages = registry.Counter("worker_messages_total", "Messages worked on.", "result")
	p.took = registry.Histogram("worker_message_duration_seconds", "How long they took.", metrics.Seconds)
}

// Start starts the workers.
func (p *Pool) Start() {
	working, giveUp := context.WithCancel(context.Background())
	taking, leave := context.WithCancel(working)
	p.giveUp, p.leave = giveUp, leave
	for range p.Workers {
		p.group.Add(1)
		go func() {
			defer p.group.Done()
			p.work(taking, working)
		}()
	}
}

// Stop takes no more messages and waits for those that are worked on; when the context ends, they are given up.
func (p *Pool) Stop(ctx context.Context) {
	p.leave()
	ended := make(chan struct{})
	go func() { p.group.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		p.Log.Warn("work is given up: it comes again")
		p.giveUp()
		<-ended
	}
	p.giveUp()
}

func (p *Pool) work(taking, working context.Context) {
	for wait := time.Duration(0); ; {
		message, err := p.Queue.Next(taking)
		switch {
		case taking.Err() != nil && err != nil, errors.Is(err, ErrClosed):
			return
		case err != nil:
			// The broker may be away for a while: asking it without a pause would not bring it back.
			p.Log.Error("no message can be taken", "error", err)
			wait = min(max(2*wait, 100*time.Millisecond), 10*time.Second)
			select {
			case <-time.After(wait):
			case <-taking.Done():
			}
			continue
		}
		wait = 0
		p.one(working, message)
	}
}

func (p *Pool) one(ctx context.Context, message Message) {
	if p.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Timeout)
		defer cancel()
	}
	start, result := time.Now(), "done"
	err := p.safely(ctx, message)
	if err == nil && message.Done != nil {
		err = message.Done()
	}
	if err != nil {
		result = "failed"
		p.Log.Error("a message failed", "id", message.ID, "error", err)
	}
	if p.messages != nil {
		p.messages.Add(1, result)
		p.took.Observe(time.Since(start).Seconds())
	}
}

func (p *Pool) safely(ctx context.Context, message Message) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("it panicked: %v\n%s", reason, debug.Stack())
		}
	}()
	return p.Handle(ctx, message)
}

// Log is an example of a Handler.
func Log(log *slog.Logger) Handler {
	return func(ctx context.Context, message Message) error {
		log.InfoContext(ctx, "message", "id", message.ID, "bytes", len(message.Body))
		return nil
	}
}
