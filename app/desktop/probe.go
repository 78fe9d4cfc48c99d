//go:build probe

package desktop

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/wailsapp/wails/v2/pkg/runtime"
)

// probe lets a test give the page of the real window an expression and read its
// value as JSON, by way of the window's own socket. No release is built with it.
func probe(mux *http.ServeMux, w *window) {
	var turn sync.Mutex // one at a time
	mux.HandleFunc("POST /probe", func(rw http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		expression, err := io.ReadAll(r.Body)
		s, ok := w.present().(wailsShell)
		if err != nil || !ok {
			http.Error(rw, "there is no page", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		text, err := ask(ctx, s, string(expression))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusGatewayTimeout)
			return
		}
		_, _ = io.WriteString(rw, text)
	})
}

func ask(ctx context.Context, s wailsShell, expression string) (string, error) {
	answers := make(chan string, 1)
	defer runtime.EventsOn(s.ctx, "probe", func(data ...any) {
		text, err := json.Marshal(data[0])
		if err != nil {
			text = []byte("null")
		}
		select {
		case answers <- string(text):
		default:
		}
	})()
	runtime.WindowExecJS(s.ctx, `(async () => { let v; try { v = await (`+expression+`) } catch (e) { v = { error: String(e) } }
window.runtime.EventsEmit("probe", v ?? null) })()`)
	select {
	case text := <-answers:
		return text, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
