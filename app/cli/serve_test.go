package cli

import (
	"bytes"
	stdlog "log"
	"log/slog"
	"strings"
	"testing"
)

func TestWhatLibrariesLogIsADetail(t *testing.T) {
	for _, tt := range []struct {
		level slog.Level
		want  string
	}{{slog.LevelInfo, ""}, {slog.LevelDebug, "level=DEBUG msg=\"no suitable interface\""}} {
		var out bytes.Buffer
		giveBack := takeGlobalLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: tt.level})))
		stdlog.Print("no suitable interface")
		giveBack()
		if got := out.String(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("at %v the log holds %q, want %q", tt.level, got, tt.want)
		}
	}
}
