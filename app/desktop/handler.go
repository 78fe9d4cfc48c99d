package desktop

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"lanyard/app/web"
)

// guard is a script that runs before those of the pages.
//
//go:embed guard.js
var guard []byte

const guardPath = "/guard.js"

// policy is that of the browser door; and no frame and no worker, in which a
// script could send what the guard keeps from being sent.
const policy = web.PagePolicy + "; frame-src 'none'; worker-src 'none'"

const (
	// maxBody is the longest request in bytes that a page sends.
	maxBody = 1 << 20
	// patience is how long the engine may take for an answer: the web view does
	// not tell when the page has stopped waiting.
	patience = 2 * time.Minute
)

// handler gives what the web view asks for: the pages, and the API, which it
// carries to the engine. It stands at no address that another program could
// reach.
//
// The web view of Windows passes an answer on only when it is complete, and
// hangs at one without content that says "not modified": no stream and no
// condition goes through here. New states come as events.
type handler struct {
	pages  fs.FS
	client *http.Client
}

// ServeHTTP answers one request of the web view.
func (h *handler) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	header := rw.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	switch {
	case r.URL.Path == web.Base+"/events":
		sayError(rw, http.StatusNotFound, "the window tells new states by itself")
	case strings.HasPrefix(r.URL.Path, web.Base+"/"):
		h.carry(rw, r)
	case r.Method != http.MethodGet:
		sayError(rw, http.StatusMethodNotAllowed, "pages can only be read")
	case r.URL.Path == guardPath:
		answer(rw, ".js", guard)
	default:
		h.page(rw, r)
	}
}

// kinds gives the type of each file that the pages are made of. The system's
// own table is not asked: programs on Windows change it.
var kinds = map[string]string{
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".json":  "application/json",
	".woff2": "font/woff2",
	".wasm":  "application/wasm",
}

func answer(rw http.ResponseWriter, ext string, data []byte) {
	kind, ok := kinds[ext]
	if !ok {
		kind = "application/octet-stream"
	}
	rw.Header().Set("Content-Type", kind)
	_, _ = rw.Write(data) // the page has gone: nobody to tell
}

// unbuilt stands in for pages that were not built.
const unbuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Lanyard</title>` +
	`<h1>This build has no pages</h1><p>Build it with: make web desktop</p></html>`

func (h *handler) page(rw http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	if h.pages == nil {
		answer(rw, ".html", []byte(unbuilt))
		return
	}
	data, err := fs.ReadFile(h.pages, name)
	if err != nil {
		sayError(rw, http.StatusNotFound, "there is no such page")
		return
	}
	if name == "index.html" {
		data = bytes.Replace(data, []byte("<head>"), []byte(`<head><script src="`+guardPath+`"></script>`), 1)
	}
	answer(rw, path.Ext(name), data)
}

// carry takes a request to the engine and its answer back.
func (h *handler) carry(rw http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		sayError(rw, http.StatusRequestEntityTooLarge, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.Method, web.AnyHost+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		sayError(rw, http.StatusBadRequest, "this cannot be asked of the engine")
		return
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := h.client.Do(request)
	if err != nil {
		sayError(rw, http.StatusServiceUnavailable, "the engine does not answer")
		return
	}
	defer response.Body.Close()
	rw.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	rw.WriteHeader(response.StatusCode)
	_, _ = io.Copy(rw, response.Body) // one of the two has gone: the page sees an answer cut short
}

var errTooLong = errors.New("the request is too long")

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLong
	}
	return body, err
}
