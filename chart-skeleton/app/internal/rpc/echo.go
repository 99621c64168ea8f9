package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// EchoMethod is an example of a method, without generated code. Replace it by what protoc makes of your .proto file.
const EchoMethod = "/starter.v1.Echo/Echo"

type echo interface {
	Echo(ctx context.Context, message *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
}

type echoServer struct{}

func (echoServer) Echo(_ context.Context, message *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return message, nil
}

func registerEcho(registrar grpc.ServiceRegistrar) {
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: "starter.v1.Echo",
		HandlerType: (*echo)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Echo",
			Handler: func(server any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
				message := new(wrapperspb.StringValue)
				if err := decode(message); err != nil {
					return nil, err
				}
				handle := func(ctx context.Context, message any) (any, error) {
					return server.(echo).Echo(ctx, message.(*wrapperspb.StringValue))
				}
				if around == nil {
					return handle(ctx, message)
				}
				return around(ctx, message, &grpc.UnaryServerInfo{Server: server, FullMethod: EchoMethod}, handle)
			},
		}},
	}, echoServer{})
}
