package device

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestAPairKeySurvivesTheFileAndIsNotPrinted(t *testing.T) {
	k := NewPairKey()
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var back PairKey
	if err := json.Unmarshal(text, &back); err != nil || back != k || back.IsZero() {
		t.Errorf("read back %x, %v, want %x", [32]byte(back), err, [32]byte(k))
	}
	for _, bad := range []string{`"AAAA"`, `"not base64!"`, `7`} {
		if json.Unmarshal([]byte(bad), &back) == nil {
			t.Errorf("%s is read as a key", bad)
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "in", struct{ K PairKey }{k})
	printed := fmt.Sprintf("%v %s %+v %#v %q", k, k, struct{ K PairKey }{k}, k, k) + log.String()
	for _, form := range []string{base64.RawURLEncoding.EncodeToString(k[:8]), fmt.Sprintf("%x", k[:4]), fmt.Sprint(k[0]) + " " + fmt.Sprint(k[1])} {
		if strings.Contains(printed, form) {
			t.Errorf("the key is printed in %q", printed)
		}
	}
}
