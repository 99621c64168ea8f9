package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func from(pairs ...string) func(string) (string, bool) {
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(key string) (string, bool) {
		value, ok := values[key]
		return value, ok
	}
}

func load(t *testing.T, pairs ...string) Config {
	t.Helper()
	config, err := Load(from(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestEachEnvironmentHasDefaultsOfItsOwn(t *testing.T) {
	for env, level := range map[string]slog.Level{
		"dev": slog.LevelDebug, "staging": slog.LevelInfo, "prod": slog.LevelInfo, "": slog.LevelDebug, "qa": slog.LevelInfo,
	} {
		if got := load(t, "ENV", env).LogLevel; got != level {
			t.Errorf("in %q the level is %v, not %v", env, got, level)
		}
	}
}

func TestTheEnvironmentWinsOverAFileAndThatOverDefaults(t *testing.T) {
	dir := t.TempDir()
	file := "# mounted\n\nTIMEOUT_SECONDS = \"3\"\nDRAIN_SECONDS=4\n"
	if err := os.WriteFile(filepath.Join(dir, "config.env"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	config := load(t, "ENV", "prod", "CONFIG_DIR", dir, "DRAIN_SECONDS", "7")
	if config.Timeout != 3*time.Second || config.Drain != 7*time.Second || config.MaxConcurrent != 200 {
		t.Errorf("got %+v", config)
	}
}

func TestAFolderWithoutAFileChangesNothing(t *testing.T) {
	if load(t, "CONFIG_DIR", t.TempDir()) != load(t) {
		t.Error("an empty CONFIG_DIR changed the configuration")
	}
}

func TestEveryFaultIsTold(t *testing.T) {
	_, err := Load(from("PORT", "many", "MAX_CONCURRENT", "0", "LOG_LEVEL", "loud"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, key := range []string{"PORT", "MAX_CONCURRENT", "LOG_LEVEL"} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("%q does not name %s", err, key)
		}
	}
}

func TestALineThatIsNoneIsToldWithItsNumber(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.env"), []byte("A=1\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(from("CONFIG_DIR", dir)); err == nil || !strings.Contains(err.Error(), "config.env:2") {
		t.Errorf("got %v", err)
	}
}

func TestAnEnvironmentsNameLeadsNowhereElse(t *testing.T) {
	if _, err := Load(from("ENV", "../../etc/passwd")); err != nil {
		t.Errorf("got %v", err)
	}
}
