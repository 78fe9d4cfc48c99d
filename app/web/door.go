package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lanyard/app/config"
)

// DoorOptions says where a browser finds the pages, and who may come in.
type DoorOptions struct {
	Address string // ADDR:PORT; a port of 0 takes a free one
	Pages   fs.FS  // with index.html; nil where none were built
	// Certificate and Password are both needed where other computers can reach
	// the address, and may be given elsewhere.
	Certificate *tls.Certificate
	Password    string
	Log         *slog.Logger // nil: none
}

// Door is the way of a browser to the API: the pages, and the API for whoever
// came in with a one-time address or the password. It believes no request for
// where it comes from: a page of another site, a name that was bent to this
// address, another program and another user of this computer are all refused
// before anything is done. All methods may be called from any goroutine.
type Door struct {
	listener net.Listener
	base     string // such as http://127.0.0.1:8384
	secure   bool
	cookie   string
	leaf     *x509.Certificate // nil without TLS
	hosts    []string          // the names under which it answers, without TLS
	pages    fs.FS
	guests   *guests
	log      *slog.Logger
}

// OpenDoor opens the address and serves nothing yet: call Run, which closes it.
func OpenDoor(o DoorOptions) (*Door, error) {
	if o.Pages == nil {
		return nil, &config.Refusal{
			Reason: config.Unavailable,
			Text:   "this build has no pages for a browser",
			Remedy: `build it with "make web build"`,
		}
	}
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, doorAddress(o.Address)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, doorAddress(o.Address)
	}
	if !ip.IsLoopback() && (o.Certificate == nil || o.Password == "") {
		return nil, &config.Refusal{
			Reason: config.Invalid, Item: o.Address,
			Text:   "other computers could reach " + o.Address + ", so that a certificate and a password are needed",
			Remedy: "give --web-certificate, --web-key and --web-password, or use 127.0.0.1",
		}
	}
	d := &Door{pages: o.Pages, guests: newGuests(o.Password), log: o.Log}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.listener, err = net.Listen("tcp", net.JoinHostPort(ip.String(), port)); err != nil {
		return nil, &config.Refusal{
			Reason: config.Unavailable, Item: o.Address,
			Text:   "a browser cannot be let in at " + o.Address + ": " + err.Error(),
			Remedy: "use another port",
		}
	}
	port = portOf(d.listener.Addr())
	d.cookie = "lanyard-" + port // cookies do not tell ports apart
	if o.Certificate == nil {
		d.hosts = []string{ip.String(), "localhost"}
		d.base = "http://" + net.JoinHostPort(ip.String(), port)
		return d, nil
	}
	return d, d.secured(*o.Certificate, ip, port)
}

// secured puts TLS before the listener.
func (d *Door) secured(c tls.Certificate, ip netip.Addr, port string) error {
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return errors.Join(fmt.Errorf("read the certificate of the browser door: %w", err), d.listener.Close())
	}
	name := ip.String()
	if leaf.VerifyHostname(name) != nil {
		if name = certifiedName(leaf); name == "" {
			return errors.Join(&config.Refusal{
				Reason: config.Invalid, Text: "the certificate names no host",
				Remedy: "use one with the name under which browsers find this computer",
			}, d.listener.Close())
		}
	}
	d.leaf, d.secure = leaf, true
	d.base = "https://" + net.JoinHostPort(name, port)
	d.listener = tls.NewListener(d.listener, &tls.Config{
		Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
	})
	return nil
}

// certifiedName gives the first name of a certificate that stands for one
// host, "" where it has none.
func certifiedName(leaf *x509.Certificate) string {
	for _, name := range leaf.DNSNames {
		if !strings.Contains(name, "*") {
			return name
		}
	}
	if len(leaf.IPAddresses) > 0 {
		return leaf.IPAddresses[0].String()
	}
	return ""
}

func doorAddress(address string) error {
	return &config.Refusal{
		Reason: config.Invalid, Item: address,
		Text:   fmt.Sprintf("%q is not an address for a browser", address),
		Remedy: "write it like 127.0.0.1:8384",
	}
}

func portOf(a net.Addr) string {
	_, port, err := net.SplitHostPort(a.String())
	if err != nil {
		panic("web: a TCP listener without a port: " + err.Error())
	}
	return port
}

// Address gives the address of the pages, which lets nobody in by itself.
func (d *Door) Address() string { return d.base + "/" }

// Invite gives an address that lets one browser in, once, within five minutes.
// The secret stands behind the #, which browsers do not send anywhere.
func (d *Door) Invite() (string, time.Time) {
	token, until := d.guests.invite()
	return d.base + "/#token=" + token, until
}

// Run lets browsers reach the API until ctx ends, and gives the cause of the
// end.
func (d *Door) Run(ctx context.Context, api http.Handler) error {
	return Serve(ctx, d.listener, d.Handler(api))
}

// Close closes a door that was not run.
func (d *Door) Close() error { return d.listener.Close() }

// Handler gives what browsers see: the pages, the session and, with one, the
// API.
func (d *Door) Handler(api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Base+"/", d.withSession(api))
	mux.HandleFunc("GET /session", d.tellSession)
	mux.HandleFunc("POST /session", d.beginSession)
	mux.HandleFunc("DELETE /session", d.endSession)
	mux.HandleFunc("/", d.servePage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header(), d.secure)
		if status, text := d.refuse(r); status != 0 {
			d.log.Warn("a request of a browser was refused", "why", text, "from", r.RemoteAddr)
			sayError(w, status, text)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// PagePolicy is the Content-Security-Policy under which the pages run: they load
// what this program brings, and nothing else.
const PagePolicy = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'none'"

func setHeaders(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", PagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuse says why a request goes no further, 0 if it may. What a browser sends
// by itself is looked at, which a page of another origin cannot forge.
func (d *Door) refuse(r *http.Request) (int, string) {
	if !d.knowsHost(r.Host) {
		return http.StatusMisdirectedRequest, "this is not the name of this door"
	}
	if r.Header.Get("Upgrade") != "" {
		return http.StatusBadRequest, "this door speaks plain HTTP only"
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	origin := r.Header.Get("Origin")
	if origin != d.scheme()+r.Host && (origin != "" || !reads) {
		return http.StatusForbidden, "the request comes from a page of another origin"
	}
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" && from != "none" && !d.opensPage(r) {
		return http.StatusForbidden, "the request comes from another site"
	}
	if kind := r.Header.Get("Content-Type"); kind != "" && kind != "application/json" {
		return http.StatusUnsupportedMediaType, "a request holds JSON or nothing"
	}
	if r.Header.Get("Content-Type") == "" && r.ContentLength != 0 {
		return http.StatusUnsupportedMediaType, "a request holds JSON or nothing"
	}
	return 0, ""
}

func (d *Door) scheme() string {
	if d.secure {
		return "https://"
	}
	return "http://"
}

// opensPage reports whether someone followed a link to the page itself.
func (d *Door) opensPage(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
		r.Header.Get("Sec-Fetch-Dest") == "document"
}

// knowsHost reports whether a Host header names this door. Another name that
// leads to the same address belongs to a page that wants to be taken for ours.
func (d *Door) knowsHost(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil { // the usual port of the scheme is left out
		host, port = strings.Trim(hostport, "[]"), map[bool]string{false: "80", true: "443"}[d.secure]
	}
	if port != portOf(d.listener.Addr()) {
		return false
	}
	if d.leaf != nil {
		return d.leaf.VerifyHostname(host) == nil
	}
	return slices.Contains(d.hosts, strings.ToLower(host))
}
