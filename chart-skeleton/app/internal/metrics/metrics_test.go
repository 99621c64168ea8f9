package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func text(r *Registry) string {
	recorder := httptest.NewRecorder()
	r.ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	return recorder.Body.String()
}

func TestTheTextIsWhatPrometheusReads(t *testing.T) {
	r := New("v1.2.3")
	requests := r.Counter("requests_total", "Requests.", "code", "route")
	requests.Add(1, "200", "/a")
	requests.Add(2, "500", "odd \"\\\n")
	took := r.Histogram("took_seconds", "Time.", []float64{.1, 1})
	for _, seconds := range []float64{.1, .5, 7} {
		took.Observe(seconds)
	}
	got := text(r)
	for _, line := range []string{
		"# TYPE requests_total counter",
		`requests_total{code="200",route="/a"} 1`,
		`requests_total{code="500",route="odd \"\\\n"} 2`,
		"# TYPE took_seconds histogram",
		`took_seconds_bucket{le="0.1"} 1`,
		`took_seconds_bucket{le="1"} 2`,
		`took_seconds_bucket{le="+Inf"} 3`,
		"took_seconds_sum 7.6",
		"took_seconds_count 3",
		`build_info{version="v1.2.3"} 1`,
		"# TYPE go_goroutines gauge",
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("%q is not in\n%s", line, got)
		}
	}
	if strings.Contains(got, "go_goroutines 0\n") {
		t.Error("Go's own figures are not told")
	}
}
