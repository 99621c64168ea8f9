// Command [[ service ]] runs the service; `healthcheck [URL]` asks a running one, `version` says which build this is.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"[[ module ]]/internal/config"
	"[[ module ]]/internal/memlimit"
)

// version is stamped in by the linker: -ldflags "-X main.version=v1.2.3".
var version = "dev"

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return start(cfg)
	}
	switch args[0] {
	case "version":
		fmt.Println(version)
		return nil
	case "healthcheck":
		return healthcheck(cfg, args[1:])
	default:
		return fmt.Errorf("there is no command %q; there are healthcheck and version", args[0])
	}
}

func start(cfg config.Config) error {
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: cfg.LogLevel}))
	slog.SetDefault(log)
	log.Info("starting", "version", version, "env", cfg.Env, "memory_limit", memlimit.Set(os.LookupEnv))

	// As PID 1 the process gets only the signals that it asks for.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	go func() {
		<-signals
		// The first signal starts to drain; before anything says so, a second one kills.
		signal.Stop(signals)
		drain()
	}()

	err := run(ctx, cfg, log)
	log.Info("stopped", "error", err)
	return err
}
