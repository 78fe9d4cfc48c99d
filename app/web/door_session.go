package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"lanyard/app/service"
	"lanyard/sync/fault"
)

const (
	inviteLife  = 5 * time.Minute // of an address that was not used
	sessionLife = 24 * time.Hour  // without a request
	maxInvites  = 8               // that wait to be used; the oldest goes
	maxSessions = 64              // likewise

	// A password may be tried so often within a minute, by all together.
	passwordTries = 5
	triesLast     = time.Minute
)

// hash stands for a secret. Looking secrets up by their hash takes a time that
// tells nothing about them.
type hash = [sha256.Size]byte

// guests knows who may come in. Nothing of it outlives the program.
type guests struct {
	password string // "" where there is none

	mu       sync.Mutex
	invites  map[hash]time.Time // until when each holds
	sessions map[hash]time.Time
	tried    []time.Time // wrong passwords of the last minute
}

func newGuests(password string) *guests {
	return &guests{password: password, invites: map[hash]time.Time{}, sessions: map[hash]time.Time{}}
}

// invite makes a secret that lets one browser in.
func (g *guests) invite() (token string, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	token, until = rand.Text(), time.Now().Add(inviteLife)
	put(g.invites, token, until, maxInvites)
	return token, until
}

// put stores a secret, and lets go of what has run out and of the oldest where
// there are too many.
func put(m map[hash]time.Time, secret string, until time.Time, most int) {
	for h, end := range m {
		if time.Now().After(end) {
			delete(m, h)
		}
	}
	for len(m) >= most {
		var oldest hash
		first := true
		for h, end := range m {
			if first || end.Before(m[oldest]) {
				oldest, first = h, false
			}
		}
		delete(m, oldest)
	}
	m[sha256.Sum256([]byte(secret))] = until
}

// enter takes an invitation, which is used up by it, and gives a session.
func (g *guests) enter(token string) (session string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := sha256.Sum256([]byte(token))
	until, ok := g.invites[h]
	delete(g.invites, h)
	if !ok || time.Now().After(until) {
		return "", false
	}
	return g.begin(), true
}

// begin makes a session; the caller holds mu.
func (g *guests) begin() string {
	session := rand.Text() + rand.Text()
	put(g.sessions, session, time.Now().Add(sessionLife), maxSessions)
	return session
}

// enterWith takes the password. tooMany: it was tried too often, and nothing
// is looked at for a while.
func (g *guests) enterWith(password string) (session string, ok, tooMany bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.tried) > 0 && time.Since(g.tried[0]) > triesLast {
		g.tried = g.tried[1:]
	}
	if len(g.tried) >= passwordTries {
		return "", false, true
	}
	given, want := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(g.password))
	if g.password == "" || subtle.ConstantTimeCompare(given[:], want[:]) == 0 {
		g.tried = append(g.tried, time.Now())
		return "", false, false
	}
	return g.begin(), true, false
}

// knows reports whether a session holds, and makes it hold on.
func (g *guests) knows(session string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := sha256.Sum256([]byte(session))
	until, ok := g.sessions[h]
	if !ok || time.Now().After(until) {
		delete(g.sessions, h)
		return false
	}
	g.sessions[h] = time.Now().Add(sessionLife)
	return true
}

func (g *guests) leave(session string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sessions, sha256.Sum256([]byte(session)))
}

// entry is what a browser shows to come in.
type entry struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

// maxEntry is the largest body in bytes that someone unknown may send.
const maxEntry = 4 << 10

func (d *Door) beginSession(w http.ResponseWriter, r *http.Request) {
	var e entry
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEntry))
	if err != nil || json.Unmarshal(body, &e) != nil {
		sayError(w, http.StatusBadRequest, "this is not what a browser shows to come in")
		return
	}
	session, ok := "", false
	if e.Token != "" {
		session, ok = d.guests.enter(e.Token)
	} else {
		var tooMany bool
		if session, ok, tooMany = d.guests.enterWith(e.Password); tooMany {
			sayRefusal(w, http.StatusTooManyRequests, "door-waits", "the password was wrong too often; it can be tried again in a minute")
			return
		}
	}
	if !ok {
		sayRefusal(w, http.StatusUnauthorized, "door-refuses", "this address was used before or has run out, or the password is another")
		return
	}
	http.SetCookie(w, d.sessionCookie(session))
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) sessionCookie(session string) *http.Cookie {
	return &http.Cookie{
		Name: d.cookie, Value: session, Path: "/", Secure: d.secure,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// tellSession says whether the browser is in, and whether a password lets it
// in.
func (d *Door) tellSession(w http.ResponseWriter, r *http.Request) {
	sayJSON(w, http.StatusOK, map[string]bool{"in": d.isIn(r), "password": d.guests.password != ""})
}

func (d *Door) endSession(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(d.cookie); err == nil {
		d.guests.leave(c.Value)
	}
	gone := d.sessionCookie("")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) isIn(r *http.Request) bool {
	c, err := r.Cookie(d.cookie)
	return err == nil && d.guests.knows(c.Value)
}

func (d *Door) withSession(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.isIn(r) {
			sayError(w, http.StatusUnauthorized, `this browser has not come in: open a fresh address from "lanyard web"`)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// servePage serves what was built. Nothing in it is secret.
func (d *Door) servePage(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	info, err := fs.Stat(d.pages, name)
	if err != nil || !info.Mode().IsRegular() || r.Method != http.MethodGet && r.Method != http.MethodHead {
		sayError(w, http.StatusNotFound, "there is no such page")
		return
	}
	if strings.HasPrefix(name, "assets/") { // named after their content
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, d.pages, name)
}

func sayError(w http.ResponseWriter, status int, text string) { sayRefusal(w, status, "", text) }

// sayRefusal is sayError for what the pages say in their own words.
func sayRefusal(w http.ResponseWriter, status int, code fault.Code, text string) {
	sayJSON(w, status, service.Error{Code: string(code), Text: text})
}

func sayJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the reader has gone: nobody to tell
}
