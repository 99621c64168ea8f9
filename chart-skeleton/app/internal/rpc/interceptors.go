package rpc

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"[[ module ]]/internal/metrics"
)

// around is what stands around a call, be it one message or a stream.
type around func(method string, call func() error) error

func unary(around around) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		var answer any
		err := around(info.FullMethod, func() (err error) {
			answer, err = handle(ctx, request)
			return err
		})
		return answer, err
	}
}

func stream(around around) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		return around(info.FullMethod, func() error { return handle(server, stream) })
	}
}

// observe logs and counts each call.
func observe(log *slog.Logger, registry *metrics.Registry) around {
	calls := registry.Counter("grpc_calls_total", "Calls answered.", "method", "code")
	took := registry.Histogram("grpc_call_duration_seconds", "How long they took.", metrics.Seconds, "method")
	return func(method string, call func() error) error {
		start := time.Now()
		err := call()
		code, spent := status.Code(err), time.Since(start)
		calls.Add(1, method, code.String())
		took.Observe(spent.Seconds(), method)
		level := slog.LevelDebug
		if code == codes.Internal || code == codes.Unknown {
			level = slog.LevelError
		}
		log.Log(context.Background(), level, "call", "method", method, "code", code.String(), "took", spent, "error", err)
		return err
	}
}

// recovered answers INTERNAL where a method panics, and logs where it did.
func recovered(log *slog.Logger) around {
	return func(method string, call func() error) (err error) {
		defer func() {
			if reason := recover(); reason != nil {
				log.Error("a method panicked", "method", method, "reason", reason, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "internal error")
			}
		}()
		return call()
	}
}

// limit answers RESOURCE_EXHAUSTED at once while as many calls run as may; probes are always answered.
func limit(most int) around {
	free := make(chan struct{}, most)
	return func(method string, call func() error) error {
		if strings.HasPrefix(method, "/grpc.health.v1.Health/") {
			return call()
		}
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
			return call()
		default:
			return status.Error(codes.ResourceExhausted, "too many calls at a time")
		}
	}
}

// deadline ends a call's context after a while, where its client set no deadline.
func deadline(after time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		if _, set := ctx.Deadline(); set || after <= 0 {
			return handle(ctx, request)
		}
		ctx, cancel := context.WithTimeout(ctx, after)
		defer cancel()
		return handle(ctx, request)
	}
}
