package rpc

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"[[ module ]]/internal/metrics"
)

func options(most int) Options {
	return Options{MaxConcurrent: most, Timeout: time.Second, Log: slog.New(slog.DiscardHandler), Registry: metrics.New("test")}
}

func serve(t *testing.T, server *Server) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		connection.Close()
		server.grpc.Stop()
	})
	return connection
}

func call(ctx context.Context, connection *grpc.ClientConn, method string) (string, error) {
	answer := new(wrapperspb.StringValue)
	err := connection.Invoke(ctx, method, wrapperspb.String("hello"), answer)
	return answer.Value, err
}

func TestACallIsAnswered(t *testing.T) {
	server := New(options(1))
	server.Register()
	if got, err := call(t.Context(), serve(t, server), EchoMethod); got != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestHealthTellsThatItDrains(t *testing.T) {
	server := New(options(1))
	server.Register()
	client := healthpb.NewHealthClient(serve(t, server))
	for _, want := range []healthpb.HealthCheckResponse_ServingStatus{healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING} {
		for _, service := range []string{"", "starter.v1.Echo"} {
			// Serving begins in the background.
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			answer, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: service}, grpc.WaitForReady(true))
			cancel()
			if err != nil || answer.Status != want {
				t.Errorf("%q: got %v, %v", service, answer, err)
			}
		}
		server.Leave()
	}
}

// slow is a service whose one method waits, or panics.
type slow struct{ begun, finish chan struct{} }

func (s *slow) register(server *Server) {
	server.grpc.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Slow",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			s.method("Wait", func(ctx context.Context) error {
				s.begun <- struct{}{}
				select {
				case <-s.finish:
					return nil
				case <-ctx.Done():
					return status.FromContextError(ctx.Err()).Err()
				}
			}),
			s.method("Panic", func(context.Context) error { panic("no") }),
		},
	}, s)
}

func (s *slow) method(name string, do func(context.Context) error) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(server any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
			message := new(wrapperspb.StringValue)
			if err := decode(message); err != nil {
				return nil, err
			}
			info := &grpc.UnaryServerInfo{Server: server, FullMethod: "/test.Slow/" + name}
			return around(ctx, message, info, func(ctx context.Context, _ any) (any, error) { return message, do(ctx) })
		},
	}
}

func TestMoreCallsThanMayRunAreRefusedAndPanicsAreAnswered(t *testing.T) {
	server, service := New(options(1)), &slow{make(chan struct{}, 1), make(chan struct{})}
	service.register(server)
	connection := serve(t, server)
	if _, err := call(t.Context(), connection, "/test.Slow/Panic"); status.Code(err) != codes.Internal {
		t.Errorf("got %v", err)
	}
	first := make(chan error, 1)
	go func() { _, err := call(t.Context(), connection, "/test.Slow/Wait"); first <- err }()
	<-service.begun
	if _, err := call(t.Context(), connection, "/test.Slow/Wait"); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
	if _, err := healthpb.NewHealthClient(connection).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("a probe is refused: %v", err)
	}
	close(service.finish)
	if err := <-first; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestACallWithoutADeadlineGetsOne(t *testing.T) {
	given := options(1)
	given.Timeout = 10 * time.Millisecond
	server, service := New(given), &slow{make(chan struct{}, 1), make(chan struct{})}
	service.register(server)
	if _, err := call(t.Context(), serve(t, server), "/test.Slow/Wait"); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestStopWaitsForCallsAndCutsThemOffInTheEnd(t *testing.T) {
	for name, long := range map[string]bool{"in time": false, "too long": true} {
		t.Run(name, func(t *testing.T) {
			server, service := New(options(1)), &slow{make(chan struct{}, 1), make(chan struct{})}
			service.register(server)
			connection := serve(t, server)
			ended := make(chan error, 1)
			go func() { _, err := call(t.Context(), connection, "/test.Slow/Wait"); ended <- err }()
			<-service.begun
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if !long {
				go func() { time.Sleep(10 * time.Millisecond); close(service.finish) }()
			}
			server.Stop(ctx)
			if err := <-ended; (err != nil) != long {
				t.Errorf("got %v", err)
			}
		})
	}
}
