package memlimit

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestTheLimitComesFromTheEnvironmentThenFromTheCgroup(t *testing.T) {
	before, places := debug.SetMemoryLimit(-1), files
	t.Cleanup(func() { debug.SetMemoryLimit(before); files = places })
	group := filepath.Join(t.TempDir(), "memory.max")
	files = []string{filepath.Join(t.TempDir(), "missing"), group}

	for name, one := range map[string]struct {
		env, cgroup string
		set         int64
	}{
		"the environment":        {"1000000000", "500", 900000000},
		"the cgroup":             {"", "2000000000\n", 1800000000},
		"nothing":                {"", "max\n", 0},
		"cgroup v1, unlimited":   {"", "9223372036854771712\n", 0},
		"nonsense, then cgroup":  {"much", "1000", 900},
		"less than nothing, too": {"-5", "max", 0},
	} {
		t.Run(name, func(t *testing.T) {
			debug.SetMemoryLimit(math.MaxInt64)
			if err := os.WriteFile(group, []byte(one.cgroup), 0o600); err != nil {
				t.Fatal(err)
			}
			got := Set(func(key string) (string, bool) { return one.env, key == "MEMORY_LIMIT" })
			want := one.set
			if want == 0 {
				want = math.MaxInt64
			}
			if got != one.set || debug.SetMemoryLimit(-1) != want {
				t.Errorf("set %d, and Go has %d", got, debug.SetMemoryLimit(-1))
			}
		})
	}
}

func TestGOMEMLIMITDecides(t *testing.T) {
	if got := Set(func(string) (string, bool) { return "100MiB", true }); got != 0 {
		t.Errorf("set %d", got)
	}
}
