// Package config reads the service's configuration.
//
// The environment wins over a mounted file, and that over the defaults of the environment that ENV names. One image
// runs everywhere. Files hold KEY=VALUE lines, as ConfigMaps and .env files do: the standard library reads no YAML.
package config

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed defaults/*.env
var defaults embed.FS

// Config is what the service needs to know.
type Config struct {
	Env           string        // ENV: dev, staging, prod, or any other
	LogLevel      slog.Level    // LOG_LEVEL: debug, info, warn or error
	Port          int           // PORT: HTTP
	GRPCPort      int           // GRPC_PORT
	MetricsPort   int           // METRICS_PORT
	MaxConcurrent int           // MAX_CONCURRENT: how much is worked on at a time, and no more
	Timeout       time.Duration // TIMEOUT_SECONDS: how long one piece of work may take
	Upstream      string        // UPSTREAM_URL: another service that this one asks; empty for none
	DrainDelay    time.Duration // DRAIN_DELAY_SECONDS: how long it serves on after SIGTERM, so that clients can leave
	Drain         time.Duration // DRAIN_SECONDS: how long it takes to stop at most, the delay included
}

// Load reads the configuration; lookup is os.LookupEnv, or a test's.
func Load(lookup func(string) (string, bool)) (Config, error) {
	name := "dev"
	if value, ok := lookup("ENV"); ok && value != "" {
		name = value
	}
	values, err := read(defaults, "defaults/"+filepath.Base(name)+".env")
	if errors.Is(err, fs.ErrNotExist) {
		// An environment without defaults of its own is treated as the one that matters most.
		values, err = read(defaults, "defaults/prod.env")
	}
	if err != nil {
		return Config{}, err
	}
	if dir, ok := lookup("CONFIG_DIR"); ok && dir != "" {
		mounted, err := read(os.DirFS(dir), "config.env")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Config{}, err
		}
		for key, value := range mounted {
			values[key] = value
		}
	}
	for key := range values {
		if value, ok := lookup(key); ok {
			values[key] = value
		}
	}
	values["ENV"] = name
	return parse(values)
}

func parse(values map[string]string) (Config, error) {
	var faults []error
	number := func(key string, least, most int) int {
		value, err := strconv.Atoi(values[key])
		if err != nil || value < least || value > most {
			faults = append(faults, fmt.Errorf("%s is %q, not a number from %d to %d", key, values[key], least, most))
		}
		return value
	}
	seconds := func(key string) time.Duration {
		return time.Duration(number(key, 0, 86_400)) * time.Second
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(values["LOG_LEVEL"])); err != nil {
		faults = append(faults, fmt.Errorf("LOG_LEVEL is %q, not debug, info, warn or error", values["LOG_LEVEL"]))
	}
	config := Config{
		Env:           values["ENV"],
		LogLevel:      level,
		Port:          number("PORT", 0, 65_535),
		GRPCPort:      number("GRPC_PORT", 0, 65_535),
		MetricsPort:   number("METRICS_PORT", 0, 65_535),
		MaxConcurrent: number("MAX_CONCURRENT", 1, 1_000_000),
		Timeout:       seconds("TIMEOUT_SECONDS"),
		Upstream:      values["UPSTREAM_URL"],
		DrainDelay:    seconds("DRAIN_DELAY_SECONDS"),
		Drain:         seconds("DRAIN_SECONDS"),
	}
	return config, errors.Join(faults...)
}

func read(files fs.FS, name string) (map[string]string, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for number, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("%s:%d: %q is not KEY=VALUE", name, number+1, line)
		}
		values[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return values, nil
}
