package health

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestReadyFollowsTheStateAndHealthzDoesNot(t *testing.T) {
	state, mux := &State{}, http.NewServeMux()
	state.Register(mux)
	for _, ready := range []bool{false, true, false} {
		state.SetReady(ready)
		want := map[string]int{"/healthz": http.StatusOK, "/ready": http.StatusServiceUnavailable}
		if ready {
			want["/ready"] = http.StatusOK
		}
		for path, code := range want {
			recorder := httptest.NewRecorder()
			mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
			if recorder.Code != code {
				t.Errorf("while ready is %v, %s answers %d, not %d", ready, path, recorder.Code, code)
			}
		}
	}
}
