package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/app/web"
)

// handWithin is how long a second launch waits for the window to take what it
// hands over: it may just be opening or closing.
const handWithin = 10 * time.Second

// handOver gives the window of the home, which another process has, what it is
// to show. It comes up in any case.
func handOver(ctx context.Context, home config.Home, o Opened) error {
	ctx, cancel := context.WithTimeout(ctx, handWithin)
	defer cancel()
	transport := web.Transport(func() (string, error) {
		holder, ok := home.WindowHolder()
		if !ok || holder.Control == "" {
			return "", web.ErrNotRunning
		}
		return holder.Control, nil
	})
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for {
		if tell(ctx, client, o) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return &config.Refusal{
				Reason: config.Unavailable,
				Text:   "the window of this home is open in another process, which does not answer",
				Remedy: "end that process and try again",
			}
		case <-time.After(lookPause):
		}
	}
}

func tell(ctx context.Context, client *http.Client, o Opened) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, web.AnyHost+"/open", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the window answered %s", response.Status)
	}
	return nil
}

// socket is what the window answers at its own socket, to programs of this user
// alone.
func (w *window) socket() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open", func(rw http.ResponseWriter, r *http.Request) {
		var o Opened
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 4<<10))
		if err != nil || json.Unmarshal(body, &o) != nil || o.Link != "" && !plainLink(o.Link) || o.Page != "" && !plainPage(o.Page) || o.Path != "" && !isDirectory(o.Path) {
			http.Error(rw, "this is nothing that the window shows", http.StatusBadRequest)
			return
		}
		w.open(o)
		w.up()
		rw.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /front", func(rw http.ResponseWriter, _ *http.Request) {
		if !w.inFront() {
			http.Error(rw, "the person has something else before them", http.StatusConflict)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	probe(mux, w)
	return mux
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// sayError answers a page as the engine does.
func sayError(rw http.ResponseWriter, status int, text string) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(service.Error{Text: text}) // the page has gone: nobody to tell
}
