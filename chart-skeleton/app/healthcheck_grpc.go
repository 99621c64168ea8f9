package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"[[ module ]]/internal/config"
)

// healthcheck asks a running service, this host's unless an address is given (grpc://host:port or http://...): for
// `helm test`, where no image needs grpcurl.
func healthcheck(cfg config.Config, args []string) error {
	address := fmt.Sprintf("grpc://127.0.0.1:%d", cfg.GRPCPort)
	if len(args) > 0 {
		address = args[0]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	target, isGRPC := strings.CutPrefix(address, "grpc://")
	if !isGRPC {
		return overHTTP(ctx, address)
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := healthpb.NewHealthClient(connection).Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		return err
	}
	if answer.Status != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("%s is %s", address, answer.Status)
	}
	return nil
}

func overHTTP(ctx context.Context, url string) error {
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
