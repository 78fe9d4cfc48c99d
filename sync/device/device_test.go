package device

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// counting is the ID 00, 01, ... 1f, whose text Syncthing itself printed.
func counting() (id ID) {
	for i := range id {
		id[i] = byte(i)
	}
	return id
}

const countingText = "AAAQEAY-EAUDAOB-CAJBIFQ-YDIOB4B-IBCEQTC-QKRMFYX-YDENBWH-A5DYPQG"

func TestTheTextFormIsSyncthings(t *testing.T) {
	id := counting()
	if got := id.String(); got != countingText {
		t.Errorf("text %s, want %s", got, countingText)
	}
	if got := id.Short(); got != 0x0001020304050607 || got.String() != "AAAQEAY" {
		t.Errorf("short form %x %s", uint64(got), got)
	}
}

// plainText is the text without check characters and dashes.
func plainText(text string) string {
	s := strings.ReplaceAll(text, "-", "")
	return s[0:13] + s[14:27] + s[28:41] + s[42:55]
}

func TestParseForgivesHowPeopleWrite(t *testing.T) {
	id := counting()
	for name, text := range map[string]string{
		"as printed":               countingText,
		"lower case":               strings.ToLower(countingText),
		"no dashes":                strings.ReplaceAll(countingText, "-", ""),
		"spaces":                   strings.ReplaceAll(countingText, "-", " "),
		"equal signs around":       "=" + countingText + "==",
		"digits that look alike":   strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(countingText),
		"without check characters": plainText(countingText),
	} {
		if got, err := Parse(text); err != nil || got != id {
			t.Errorf("%s: Parse(%q) = %v, %v", name, text, got, err)
		}
	}
}

func TestParseRefusesMistakes(t *testing.T) {
	plain := strings.ReplaceAll(countingText, "-", "")
	for name, text := range map[string]string{
		"nothing":               "",
		"a character less":      plain[1:],
		"a character more":      plain + "A",
		"a wrong check":         plain[:55] + "A",
		"no letter of base32":   plain[:20] + "9" + plain[21:],
		"the same, unchecked":   "9" + plainText(countingText)[1:],
		"something else wholly": "https://example.org",
	} {
		if _, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: Parse(%q) error %v, want ErrSyntax", name, text, err)
		}
	}
}

func ids() *rapid.Generator[ID] {
	return rapid.Custom(func(t *rapid.T) ID {
		return ID(rapid.SliceOfN(rapid.Byte(), len(ID{}), len(ID{})).Draw(t, "id"))
	})
}

func TestParseUndoesString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := ids().Draw(t, "id")
		if got, err := Parse(id.String()); err != nil || got != id {
			t.Fatalf("Parse(%s) = %v, %v", id, got, err)
		}
		if !strings.HasPrefix(id.String(), id.Short().String()) {
			t.Fatalf("%s does not start with its short form %s", id, id.Short())
		}
	})
}

func TestOneMistypedCharacterIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(strings.ReplaceAll(ids().Draw(t, "id").String(), "-", ""))
		i := rapid.IntRange(0, len(text)-1).Draw(t, "position")
		c := rapid.SampledFrom([]byte(alphabet)).Draw(t, "character")
		if c == text[i] {
			return
		}
		text[i] = c
		if _, err := Parse(string(text)); err == nil {
			t.Fatalf("%s was taken", text)
		}
	})
}

func TestTextMarshalling(t *testing.T) {
	id := counting()
	text, err := id.MarshalText()
	var back ID
	if err != nil || back.UnmarshalText(text) != nil || back != id {
		t.Errorf("%s became %v", text, back)
	}
	if text, err := (ID{}).MarshalText(); err != nil || len(text) != 0 {
		t.Errorf("the empty ID is %q, %v", text, err)
	}
	if err := back.UnmarshalText(nil); err != nil || !back.IsZero() {
		t.Errorf("no text is %v, %v", back, err)
	}
	if err := back.UnmarshalText([]byte("x")); !errors.Is(err, ErrSyntax) {
		t.Errorf("error %v", err)
	}
}

func TestANewCertificateIsAnIdentityThatSyncthingTakes(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 34, 56, 0, time.UTC)
	certPEM, keyPEM, err := NewCertificate(now)
	if err != nil {
		t.Fatal(err)
	}
	cert, id, err := LoadCertificate(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	if want := ID(sha256.Sum256(cert.Certificate[0])); id != want {
		t.Errorf("ID %v, want the hash of the certificate %v", id, want)
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	_, isEd25519 := leaf.PublicKey.(ed25519.PublicKey)
	if leaf.Subject.CommonName != CommonName || leaf.VerifyHostname(CommonName) != nil || !isEd25519 || leaf.IsCA {
		t.Errorf("certificate of %v, names %v, key %T, authority %v", leaf.Subject, leaf.DNSNames, leaf.PublicKey, leaf.IsCA)
	}
	if leaf.NotBefore != time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC) || leaf.NotAfter.Year() != 2046 {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if err := leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
		t.Errorf("not self-signed: %v", err)
	}
}

func TestLoadCertificateRefusesWhatIsNoIdentity(t *testing.T) {
	certPEM, keyPEM, err := NewCertificate(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey, err := NewCertificate(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2][]byte{
		"nothing":           {nil, nil},
		"another key":       {certPEM, otherKey},
		"two certificates":  {append(append([]byte{}, certPEM...), certPEM...), keyPEM},
		"the key as itself": {keyPEM, keyPEM},
	} {
		if _, _, err := LoadCertificate(pair[0], pair[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
