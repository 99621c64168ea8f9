package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"[[ module ]]/internal/metrics"
)

func pool(queue Queue, handle Handler) *Pool {
	p := &Pool{Queue: queue, Handle: handle, Workers: 4, Log: slog.New(slog.DiscardHandler)}
	p.Observe(metrics.New("test"))
	return p
}

func put(t *testing.T, queue *Memory, message Message) {
	t.Helper()
	if err := queue.Put(t.Context(), message); err != nil {
		t.Fatal(err)
	}
}

func TestEveryMessageIsWorkedOnAndAcknowledged(t *testing.T) {
	queue := NewMemory(100)
	var worked, done atomic.Int64
	p := pool(queue, func(context.Context, Message) error { worked.Add(1); return nil })
	p.Start()
	for range 100 {
		put(t, queue, Message{Done: func() error { done.Add(1); return nil }})
	}
	queue.Close()
	p.group.Wait()
	p.Stop(t.Context())
	if worked.Load() != 100 || done.Load() != 100 {
		t.Errorf("worked on %d, acknowledged %d", worked.Load(), done.Load())
	}
}

func TestWhatFailsOrPanicsIsNotAcknowledgedAndTheOthersGoOn(t *testing.T) {
	queue := NewMemory(3)
	var mu sync.Mutex
	done := map[string]bool{}
	p := pool(queue, func(_ context.Context, message Message) error {
		switch message.ID {
		case "fails":
			return errors.New("no")
		case "panics":
			panic("no")
		}
		return nil
	})
	p.Start()
	for _, id := range []string{"fails", "panics", "fine"} {
		put(t, queue, Message{ID: id, Done: func() error { mu.Lock(); defer mu.Unlock(); done[id] = true; return nil }})
	}
	queue.Close()
	p.group.Wait()
	p.Stop(t.Context())
	if len(done) != 1 || !done["fine"] {
		t.Errorf("acknowledged %v", done)
	}
}

func TestStopWaitsForWhatIsBegunAndTakesNothingNew(t *testing.T) {
	queue := NewMemory(10)
	begun, finish, ended := make(chan struct{}, 10), make(chan struct{}), atomic.Int64{}
	p := pool(queue, func(context.Context, Message) error {
		begun <- struct{}{}
		<-finish
		ended.Add(1)
		return nil
	})
	p.Start()
	for range 10 {
		put(t, queue, Message{})
	}
	for range 4 {
		<-begun
	}
	stopped := make(chan struct{})
	go func() { p.Stop(context.Background()); close(stopped) }()
	time.Sleep(20 * time.Millisecond)
	select {
	case <-stopped:
		t.Fatal("it stopped while it worked")
	default:
	}
	close(finish)
	<-stopped
	if ended.Load() != 4 || len(queue.messages) != 6 {
		t.Errorf("%d ended, %d are left", ended.Load(), len(queue.messages))
	}
}

func TestWorkThatTakesTooLongIsGivenUp(t *testing.T) {
	queue := NewMemory(1)
	given, begun := make(chan error, 1), make(chan struct{})
	p := pool(queue, func(ctx context.Context, _ Message) error {
		close(begun)
		<-ctx.Done()
		given <- ctx.Err()
		return ctx.Err()
	})
	p.Start()
	put(t, queue, Message{})
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	p.Stop(ctx)
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type broken struct {
	*Memory
	left atomic.Int64
}

func (b *broken) Next(ctx context.Context) (Message, error) {
	if b.left.Add(-1) >= 0 {
		return Message{}, errors.New("the broker is away")
	}
	return b.Memory.Next(ctx)
}

func TestABrokerThatIsAwayIsAskedAgain(t *testing.T) {
	queue := &broken{Memory: NewMemory(1)}
	queue.left.Store(1)
	worked := make(chan struct{})
	p := pool(queue, func(context.Context, Message) error { close(worked); return nil })
	p.Workers = 1
	p.Start()
	put(t, queue.Memory, Message{})
	<-worked
	p.Stop(t.Context())
}
