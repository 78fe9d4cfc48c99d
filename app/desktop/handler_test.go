package desktop

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
)

// seen is what an engine was asked.
type seen struct{ method, uri, kind, body string }

// asked gives the handler of the window over an engine that answers everything
// in one way, and what that was asked.
func asked(t *testing.T) (*handler, *[]seen) {
	t.Helper()
	var all []seen
	engine := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		all = append(all, seen{r.Method, r.RequestURI, r.Header.Get("Content-Type"), string(body)})
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("ETag", "x")
		rw.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(rw, `{"text":"no"}`)
	}))
	t.Cleanup(engine.Close)
	base, err := url.Parse(engine.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := engine.Client()
	inner := client.Transport
	client.Transport = carrier(func(r *http.Request) (*http.Response, error) {
		r.URL.Host = base.Host
		return inner.RoundTrip(r)
	})
	pages := fstest.MapFS{
		"index.html":     {Data: []byte("<!doctype html><html><head><title>x</title></head></html>")},
		"assets/main.js": {Data: []byte("1")},
	}
	return &handler{pages: pages, client: client}, &all
}

type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func ask1(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	rw := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("If-None-Match", "x")
	h.ServeHTTP(rw, r)
	return rw
}

func TestRequestsOfThePagesAreCarriedToTheEngine(t *testing.T) {
	h, all := asked(t)
	rw := ask1(h, "POST", "/api/v1/folders/a%2Fb%20%3F/held?x=%C3%BC", `{"do":"apply"}`)
	if rw.Code != http.StatusConflict || rw.Body.String() != `{"text":"no"}` || rw.Header().Get("ETag") != "" {
		t.Errorf("the page gets %d %q %v", rw.Code, rw.Body, rw.Header())
	}
	ask1(h, "GET", "/api/v1/status", "")
	want := []seen{
		{"POST", "/api/v1/folders/a%2Fb%20%3F/held?x=%C3%BC", "application/json", `{"do":"apply"}`},
		{"GET", "/api/v1/status", "", ""},
	}
	if len(*all) != 2 || (*all)[0] != want[0] || (*all)[1] != want[1] {
		t.Errorf("the engine was asked %q, want %q", *all, want)
	}
}

func TestWhatDoesNotBelongInTheWindowIsNotCarried(t *testing.T) {
	h, all := asked(t)
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/api/v1/events", "", http.StatusNotFound},
		{"POST", "/api/v1/scan", strings.Repeat("x", maxBody+1), http.StatusRequestEntityTooLarge},
		{"POST", "/", "x", http.StatusMethodNotAllowed},
		{"GET", "/nothing", "", http.StatusNotFound},
		{"GET", "/../../etc/passwd", "", http.StatusNotFound},
		{"GET", "/assets", "", http.StatusNotFound},
	} {
		if rw := ask1(h, test.method, test.path, test.body); rw.Code != test.want {
			t.Errorf("%s %s gives %d, want %d", test.method, test.path, rw.Code, test.want)
		}
	}
	if len(*all) > 0 {
		t.Errorf("the engine was asked %q", *all)
	}
}

func TestPagesComeWithTheirTypeUnderAStrictPolicy(t *testing.T) {
	h, _ := asked(t)
	rw := ask1(h, "GET", "/", "")
	page, before := rw.Body.String(), `<head><script src="/guard.js"></script><title>`
	if rw.Code != http.StatusOK || !strings.Contains(page, before) || rw.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the page is %d %v %s", rw.Code, rw.Header(), page)
	}
	for path, kind := range map[string]string{"/guard.js": "text/javascript; charset=utf-8", "/assets/main.js": "text/javascript; charset=utf-8"} {
		if rw := ask1(h, "GET", path, ""); rw.Code != http.StatusOK || rw.Header().Get("Content-Type") != kind || rw.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s is %d %v", path, rw.Code, rw.Header())
		}
	}
	got := rw.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self';", "frame-src 'none'", "worker-src 'none'", "form-action 'none'"} {
		if !strings.Contains(got, part) || strings.Contains(got, "unsafe") {
			t.Errorf("the policy is %q", got)
		}
	}
	if rw := ask1(&handler{}, "GET", "/", ""); rw.Code != http.StatusOK || !strings.Contains(rw.Body.String(), "no pages") {
		t.Errorf("without pages it is %d %s", rw.Code, rw.Body)
	}
}

func TestAnEngineThatIsGoneIsSaid(t *testing.T) {
	s := newEngines(t)
	rw := ask1(&handler{client: s.engine().client}, "GET", "/api/v1/status", "")
	if rw.Code != http.StatusServiceUnavailable || !strings.Contains(rw.Body.String(), `"text":"the engine does not answer"`) {
		t.Errorf("it is %d %s", rw.Code, rw.Body)
	}
}
