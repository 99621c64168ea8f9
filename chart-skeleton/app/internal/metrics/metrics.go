// Package metrics counts what happens, and tells Prometheus in its text format (version 0.0.4).
//
// The standard library has no client for Prometheus. When you need more than counters, histograms and gauges, replace
// this package by github.com/prometheus/client_golang.
package metrics

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Seconds is where a Histogram's buckets end, for what takes milliseconds to seconds.
var Seconds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Registry holds all metrics of the process.
type Registry struct {
	mu       sync.Mutex
	families []family
}

type family interface{ write(w io.Writer) }

// New makes a Registry that tells the build, the start time and Go's own figures.
func New(version string) *Registry {
	r := &Registry{}
	r.Counter("build_info", "Which build this is.", "version").Add(1, version)
	started := float64(time.Now().Unix())
	r.Gauge("process_start_time_seconds", "When the process started.", func() float64 { return started })
	for name, sample := range map[string]string{
		"go_goroutines":            "/sched/goroutines:goroutines",
		"go_gomaxprocs":            "/sched/gomaxprocs:threads",
		"go_memory_limit_bytes":    "/gc/gomemlimit:bytes",
		"go_memory_heap_bytes":     "/memory/classes/heap/objects:bytes",
		"go_memory_total_bytes":    "/memory/classes/total:bytes",
		"go_gc_cycles_since_start": "/gc/cycles/total:gc-cycles",
	} {
		r.Gauge(name, "Go's "+sample, func() float64 {
			samples := []metrics.Sample{{Name: sample}}
			metrics.Read(samples)
			if samples[0].Value.Kind() != metrics.KindUint64 {
				return 0
			}
			return float64(samples[0].Value.Uint64())
		})
	}
	return r
}

// Counter adds a number that only grows, with labels.
func (r *Registry) Counter(name, help string, labels ...string) *Counter {
	c := &Counter{head: head{name, help, "counter"}, labels: labels, values: map[string]float64{}}
	r.add(c)
	return c
}

// Histogram adds a distribution, with labels; bounds are where its buckets end.
func (r *Registry) Histogram(name, help string, bounds []float64, labels ...string) *Histogram {
	h := &Histogram{head: head{name, help, "histogram"}, labels: labels, bounds: bounds, series: map[string]*buckets{}}
	r.add(h)
	return h
}

// Gauge adds a number that is asked for when Prometheus asks.
func (r *Registry) Gauge(name, help string, value func() float64) {
	r.add(gauge{head{name, help, "gauge"}, value})
}

// ServeHTTP answers Prometheus.
func (r *Registry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	buffer := bufio.NewWriter(w)
	r.mu.Lock()
	families := slices.Clone(r.families)
	r.mu.Unlock()
	for _, one := range families {
		one.write(buffer)
	}
	_ = buffer.Flush()
}

func (r *Registry) add(one family) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.families = append(r.families, one)
}

type head struct{ name, help, kind string }

func (h head) write(w io.Writer) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", h.name, h.help, h.name, h.kind)
}

// Counter is a number that only grows, for each set of labels.
type Counter struct {
	head
	labels []string
	mu     sync.Mutex
	values map[string]float64
}

// Add adds to the number of these labels' values.
func (c *Counter) Add(much float64, values ...string) {
	key := labelled(c.labels, values)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] += much
}

func (c *Counter) write(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.head.write(w)
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		fmt.Fprintf(w, "%s%s %s\n", c.name, braced(key), number(c.values[key]))
	}
}

// Histogram counts how often a value fell into each bucket, for each set of labels.
type Histogram struct {
	head
	labels []string
	bounds []float64
	mu     sync.Mutex
	series map[string]*buckets
}

type buckets struct {
	counts []uint64
	count  uint64
	sum    float64
}

// Observe counts a value.
func (h *Histogram) Observe(value float64, values ...string) {
	key := labelled(h.labels, values)
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.series[key]
	if one == nil {
		one = &buckets{counts: make([]uint64, len(h.bounds))}
		h.series[key] = one
	}
	if at, _ := slices.BinarySearch(h.bounds, value); at < len(h.bounds) {
		one.counts[at]++
	}
	one.count++
	one.sum += value
}

func (h *Histogram) write(w io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.head.write(w)
	for _, key := range slices.Sorted(maps.Keys(h.series)) {
		one, below := h.series[key], uint64(0)
		for at, bound := range h.bounds {
			below += one.counts[at]
			fmt.Fprintf(w, "%s_bucket%s %d\n", h.name, braced(joined(key, `le="`+number(bound)+`"`)), below)
		}
		fmt.Fprintf(w, "%s_bucket%s %d\n", h.name, braced(joined(key, `le="+Inf"`)), one.count)
		fmt.Fprintf(w, "%s_sum%s %s\n", h.name, braced(key), number(one.sum))
		fmt.Fprintf(w, "%s_count%s %d\n", h.name, braced(key), one.count)
	}
}

type gauge struct {
	head
	value func() float64
}

func (g gauge) write(w io.Writer) {
	g.head.write(w)
	fmt.Fprintf(w, "%s %s\n", g.name, number(g.value()))
}

var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func labelled(names, values []string) string {
	parts := make([]string, len(names))
	for at, name := range names {
		parts[at] = name + `="` + escaper.Replace(values[at]) + `"`
	}
	return strings.Join(parts, ",")
}

func joined(key, more string) string {
	if key == "" {
		return more
	}
	return key + "," + more
}

func braced(key string) string {
	if key == "" {
		return ""
	}
	return "{" + key + "}"
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }
