package web_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"lanyard/app/node/nodetest"
	"lanyard/app/web"
	"lanyard/sync/device"
)

var pages = fstest.MapFS{
	"index.html":     {Data: []byte("<!doctype html><title>Lanyard</title>")},
	"assets/main.js": {Data: []byte("export {}")},
}

// house is a door with the API of a real service behind it.
type house struct {
	*testing.T
	door    *web.Door
	handler http.Handler
	client  *web.Client // past the door
	host    string
}

func newHouse(t *testing.T, o web.DoorOptions) *house {
	t.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	o.Pages = pages
	door, err := web.OpenDoor(o)
	check(t, err)
	t.Cleanup(func() { check(t, door.Close()) })
	api := web.Handler(start(t, nodetest.New(), nil))
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	_, host, _ := strings.Cut(strings.TrimSuffix(door.Address(), "/"), "//")
	return &house{t, door, door.Handler(api), web.NewClient(server.Client(), server.URL), host}
}

// ask sends a request as a browser would from the door's own page; headers are
// pairs that change it, an empty value takes one away.
func (h *house) ask(method, path, body string, headers ...string) *http.Response {
	h.Helper()
	scheme, _, _ := strings.Cut(h.door.Address(), "//")
	r := httptest.NewRequestWithContext(h.Context(), method, path, strings.NewReader(body))
	r.Host = h.host
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet {
		r.Header.Set("Origin", scheme+"//"+h.host)
	}
	for i := 0; i < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			r.Host = headers[i+1]
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w.Result()
}

// token makes an invitation and gives its secret.
func (h *house) token() string {
	h.Helper()
	address, _ := h.door.Invite()
	_, token, ok := strings.Cut(address, "/#token=")
	if !ok || len(token) < 26 {
		h.Fatalf("invitation %q has no secret of 128 bits behind the #", address)
	}
	return token
}

// enter comes in and gives the cookie as it is sent back.
func (h *house) enter(entry string) (cookie string) {
	h.Helper()
	answer := h.ask("POST", "/session", entry)
	if answer.StatusCode != http.StatusNoContent || len(answer.Cookies()) != 1 {
		h.Fatalf("coming in gave %s and cookies %v", answer.Status, answer.Cookies())
	}
	c := answer.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
		h.Errorf("the cookie %s is not HttpOnly, SameSite=Strict and for all paths", c)
	}
	return c.Name + "=" + c.Value
}

func (h *house) wantStatus(what string, answer *http.Response, want int) {
	h.Helper()
	if answer.StatusCode != want {
		body, _ := io.ReadAll(answer.Body)
		h.Errorf("%s: got %s %s, want %d", what, answer.Status, body, want)
	}
}

func TestAnInvitationLetsOneBrowserInOnce(t *testing.T) {
	h := newHouse(t, web.DoorOptions{})
	h.wantStatus("before", h.ask("GET", "/api/v1/id", ""), 401)
	token := h.token()
	cookie := h.enter(`{"token":"` + token + `"}`)
	h.wantStatus("with the session", h.ask("GET", "/api/v1/id", "", "Cookie", cookie), 200)
	h.wantStatus("the same invitation", h.ask("POST", "/session", `{"token":"`+token+`"}`), 401)
	h.wantStatus("with another session", h.ask("GET", "/api/v1/id", "", "Cookie", cookie+"A"), 401)
	h.wantStatus("leaving", h.ask("DELETE", "/session", "", "Cookie", cookie), 204)
	h.wantStatus("after leaving", h.ask("GET", "/api/v1/id", "", "Cookie", cookie), 401)
}

// Each request would add a device if the door let it through; all but the last
// carry a session that holds.
func TestTheDoorRefusesWhatItsOwnPageDoesNotSend(t *testing.T) {
	h := newHouse(t, web.DoorOptions{})
	cookie := h.enter(`{"token":"` + h.token() + `"}`)
	_, port, _ := net.SplitHostPort(h.host)
	add := `{"id":"` + device.ID{1}.String() + `"}`
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"a page of another site", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"that hides where it is", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", ""}, 403},
		{"a page without an origin", []string{"Origin", "null"}, 403},
		{"a browser that tells no origin", []string{"Origin", ""}, 403},
		{"another port of this computer", []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}, 403},
		{"the same address without TLS in its name", []string{"Origin", "https://" + h.host}, 403},
		{"a name that was bent to this address", []string{"Host", "evil.example:" + port, "Origin", "http://evil.example:" + port}, 421},
		{"a name that ends like ours", []string{"Host", "localhost.evil.example:" + port, "Origin", "http://localhost.evil.example:" + port}, 421},
		{"our name at another port", []string{"Host", "127.0.0.1:1", "Origin", "http://127.0.0.1:1"}, 421},
		{"no name at all", []string{"Host", ""}, 421},
		{"the name that the window uses", []string{"Host", "wails"}, 421},
		{"a form", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"a form with files", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		{"plain text", []string{"Content-Type", "text/plain"}, 415},
		{"a body of no kind", []string{"Content-Type", ""}, 415},
		{"a WebSocket", []string{"Connection", "Upgrade", "Upgrade", "websocket"}, 400},
		{"nobody we know", []string{"Cookie", ""}, 401},
		{"a session that was made up", []string{"Cookie", strings.SplitN(cookie, "=", 2)[0] + "=x"}, 401},
	}
	for _, tt := range tests {
		h.wantStatus(tt.name, h.ask("POST", "/api/v1/devices", add, append([]string{"Cookie", cookie}, tt.headers...)...), tt.want)
	}
	for _, host := range []string{h.host, "localhost:" + port, "LOCALHOST:" + port} {
		h.wantStatus(host, h.ask("GET", "/api/v1/id", "", "Cookie", cookie, "Host", host), 200)
	}
	h.wantStatus("reading from another site", h.ask("GET", "/api/v1/status", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), 403)
	h.wantStatus("reading from another port", h.ask("GET", "/api/v1/status", "", "Cookie", cookie, "Sec-Fetch-Site", "same-site"), 403)
	devices, err := h.client.Devices(t.Context())
	check(t, err)
	if len(devices) != 0 {
		t.Errorf("a refused request added %v", devices)
	}
	h.wantStatus("the page itself", h.ask("POST", "/api/v1/devices", add, "Cookie", cookie), 200)
}

func TestASecretIsNotGuessedAndNotKept(t *testing.T) {
	h := newHouse(t, web.DoorOptions{})
	for _, body := range []string{`{"token":"AAAAAAAAAAAAAAAAAAAAAAAAAA"}`, `{}`, `{"token":""}`, `{"password":""}`} {
		h.wantStatus(body, h.ask("POST", "/session", body), 401)
	}
	h.wantStatus("no JSON", h.ask("POST", "/session", `token`), 400)
	h.wantStatus("too much", h.ask("POST", "/session", `{"token":"`+strings.Repeat("A", 5000)+`"}`), 400)
	first := h.token()
	for range 8 {
		h.token()
	}
	h.wantStatus("the oldest of nine invitations", h.ask("POST", "/session", `{"token":"`+first+`"}`), 401)
}

func TestInvitationsAndSessionsRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door, err := web.OpenDoor(web.DoorOptions{Address: "127.0.0.1:0", Pages: pages})
		check(t, err)
		defer door.Close()
		_, host, _ := strings.Cut(strings.TrimSuffix(door.Address(), "/"), "//")
		h := &house{T: t, door: door, host: host, handler: door.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))}
		token := h.token()
		<-time.After(5*time.Minute + time.Second)
		h.wantStatus("an old invitation", h.ask("POST", "/session", `{"token":"`+token+`"}`), 401)
		cookie := h.enter(`{"token":"` + h.token() + `"}`)
		for range 3 {
			<-time.After(23 * time.Hour)
			h.wantStatus("a session in use", h.ask("GET", "/api/v1/id", "", "Cookie", cookie), 200)
		}
		<-time.After(25 * time.Hour)
		h.wantStatus("a session left alone", h.ask("GET", "/api/v1/id", "", "Cookie", cookie), 401)
	})
}

func TestAPasswordIsTriedAFewTimesAMinute(t *testing.T) {
	const password = "correct horse battery"
	synctest.Test(t, func(t *testing.T) {
		door, err := web.OpenDoor(web.DoorOptions{Address: "127.0.0.1:0", Pages: pages, Password: password})
		check(t, err)
		defer door.Close()
		_, host, _ := strings.Cut(strings.TrimSuffix(door.Address(), "/"), "//")
		h := &house{T: t, door: door, host: host, handler: door.Handler(http.NotFoundHandler())}
		h.enter(`{"password":"` + password + `"}`)
		for range 5 {
			h.wantStatus("a wrong password", h.ask("POST", "/session", `{"password":"horse"}`), 401)
		}
		h.wantStatus("the sixth, though right", h.ask("POST", "/session", `{"password":"`+password+`"}`), 429)
		h.enter(`{"token":"` + h.token() + `"}`)
		<-time.After(time.Minute + time.Second)
		h.enter(`{"password":"` + password + `"}`)
	})
}

func TestPagesLoadNothingFromElsewhereAndRunNoInlineScript(t *testing.T) {
	h := newHouse(t, web.DoorOptions{})
	for path, want := range map[string]int{"/": 200, "/assets/main.js": 200, "/assets": 404, "/assets/": 404, "/nothing": 404} {
		answer := h.ask("GET", path, "")
		h.wantStatus(path, answer, want)
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'self';") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Access-Control-Allow-Origin": "",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	link := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	h.wantStatus("a link from elsewhere to the page", h.ask("GET", "/", "", link...), 200)
	h.wantStatus("a link from elsewhere to the API", h.ask("GET", "/api/v1/status", "", link...), 403)
	link[5] = "iframe"
	h.wantStatus("the page in a frame elsewhere", h.ask("GET", "/", "", link...), 403)
}

func TestOtherComputersNeedACertificateAndAPassword(t *testing.T) {
	pair := certificate(t, "nas.example")
	for _, o := range []web.DoorOptions{
		{Address: "0.0.0.0:0"},
		{Address: "[::]:0"},
		{Address: "192.0.2.1:0"},
		{Address: "0.0.0.0:0", Certificate: &pair},
		{Address: "0.0.0.0:0", Password: "correct horse battery"},
	} {
		o.Pages = pages
		if _, err := web.OpenDoor(o); err == nil || !strings.Contains(err.Error(), "a certificate and a password are needed") {
			t.Errorf("%s: got %v, want a sentence that says what is needed", o.Address, err)
		}
	}
	for _, address := range []string{"", "8384", ":8384", "example.com:8384", "127.0.0.1"} {
		if _, err := web.OpenDoor(web.DoorOptions{Address: address, Pages: pages}); err == nil {
			t.Errorf("%q is taken as an address", address)
		}
	}
	if _, err := web.OpenDoor(web.DoorOptions{Address: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "no pages") {
		t.Errorf("without pages: got %v, want a sentence that says so", err)
	}
}

func TestADoorToOtherComputersSpeaksTLSUnderItsOwnName(t *testing.T) {
	const password = "correct horse battery"
	pair := certificate(t, "nas.example")
	door, err := web.OpenDoor(web.DoorOptions{Address: "0.0.0.0:0", Pages: pages, Certificate: &pair, Password: password})
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- door.Run(ctx, http.NotFoundHandler()) }()
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	check(t, err)
	roots.AddCert(leaf)
	_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(door.Address(), "https://"), "/"))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		},
	}
	client := &http.Client{Transport: transport}
	answer, err := client.Get(door.Address())
	check(t, err)
	answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the page at %s: %s, %v", door.Address(), answer.Status, answer.Header)
	}
	transport.CloseIdleConnections()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the door ended with %v", err)
	}
	h := newHouse(t, web.DoorOptions{Address: "0.0.0.0:0", Certificate: &pair, Password: password})
	if cookie := h.ask("POST", "/session", `{"password":"`+password+`"}`).Cookies(); len(cookie) != 1 || !cookie[0].Secure {
		t.Errorf("the cookie is %v, want one for TLS alone", cookie)
	}
	_, port, _ = net.SplitHostPort(h.host)
	h.wantStatus("a name that is not in the certificate", h.ask("GET", "/", "", "Host", "evil.example:"+port), 421)
	h.wantStatus("its address", h.ask("GET", "/", "", "Host", "127.0.0.1:"+port), 421)
}

// certificate makes one that signs itself.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
