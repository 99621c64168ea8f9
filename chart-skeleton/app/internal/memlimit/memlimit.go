// Package memlimit makes the container's memory limit known to Go's garbage collector.
package memlimit

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// share of the limit that the heap may take; the rest is for stacks, buffers and what else is not Go's.
const share = 0.9

// Unlimited groups of cgroup v1 tell a number near the largest that there is.
const unlimited = 1 << 60

var files = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// Set makes 90 % of the limit Go's own and returns that in bytes; 0 where there is none, or GOMEMLIMIT decides.
// The limit is MEMORY_LIMIT in bytes, else the cgroup's.
func Set(lookup func(string) (string, bool)) int64 {
	if value, ok := lookup("GOMEMLIMIT"); ok && value != "" {
		return 0
	}
	value, _ := lookup("MEMORY_LIMIT")
	limit := parse(value)
	for _, file := range files {
		if limit > 0 {
			break
		}
		if text, err := os.ReadFile(file); err == nil {
			limit = parse(string(text))
		}
	}
	if limit == 0 {
		return 0
	}
	own := int64(float64(limit) * share)
	debug.SetMemoryLimit(own)
	return own
}

func parse(text string) int64 {
	limit, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || limit <= 0 || limit >= unlimited {
		return 0
	}
	return limit
}
