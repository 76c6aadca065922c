package pki

import (
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"
)

func TestPoints(t *testing.T) {
	now := time.Date(2027, 1, 31, 12, 0, 0, 123, time.UTC)
	for text, want := range map[string]string{
		"+0s": "20270131120000Z", "+90d": "20270501120000Z", "-1h": "20270131110000Z",
		"+1w1d1h1m1s": "20270208130101Z", "+30": "20270131120030Z", "20300101000000Z": "20300101000000Z",
	} {
		p, err := ParsePoint(text)
		if err != nil || FormatTime(p.From(now)) != want {
			t.Errorf("%s: got %s, %v, want %s", text, FormatTime(p.From(now)), err, want)
		}
	}
	for _, text := range []string{"", "+", "90d", "+90 d", "+1d1w", "tomorrow", "2027", "20270231000000Z", "+99999999999d", "+2000000000w"} {
		if p, err := ParsePoint(text); err == nil {
			t.Errorf("%q was read as %v", text, p.From(now))
		}
	}
}

func TestNamesSurviveEncoding(t *testing.T) {
	var n Name
	for _, p := range [][2]string{{"C", "DE"}, {"O", "Müller"}, {"CN", "a"}, {"CN", "b"}, {"emailAddress", "x@example.com"}, {"DC", "example"}} {
		part, err := NewPart(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		n = append(n, part)
	}
	der, err := n.DER()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseName(der)
	if err != nil || got.String() != n.String() {
		t.Errorf("got %s, %v, want %s", got, err, n)
	}
	if n.Map()["commonName"] != "b" {
		t.Errorf("got %v", n.Map())
	}
}

func TestSameExtensions(t *testing.T) {
	make := func(critical bool, names ...string) []pkix.Extension {
		e, err := SANExtension(names, critical)
		if err != nil {
			t.Fatal(err)
		}
		return []pkix.Extension{e}
	}
	a := make(false, "DNS:a", "DNS:b")
	for what, c := range map[string]struct {
		other []pkix.Extension
		same  bool
	}{
		"the same": {make(false, "DNS:a", "DNS:b"), true}, "another order": {make(false, "DNS:b", "DNS:a"), true},
		"critical": {make(true, "DNS:a", "DNS:b"), false}, "fewer": {make(false, "DNS:a"), false}, "none": {nil, false},
		"another kind": {make(false, "DNS:a", "email:b"), false},
	} {
		if got := SameExtensions(a, c.other); got != c.same {
			t.Errorf("%s: %v", what, got)
		}
	}
	if !SameExtensions(a, nil, OIDSAN) {
		t.Error("a kind that is left out counts")
	}
}

func TestEncryptedKeysAreNamed(t *testing.T) {
	for _, text := range []string{
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
	} {
		if _, _, err := ParseKey([]byte(text)); err == nil || !strings.Contains(err.Error(), "encrypted with a passphrase") {
			t.Errorf("got %v", err)
		}
	}
}

// FuzzParse looks for input that panics, or leaks into an error.
func FuzzParse(f *testing.F) {
	key, err := GenerateKey(Ed25519, 0, "")
	if err != nil {
		f.Fatal(err)
	}
	pem, err := EncodeKey(key, "pkcs8")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pem)
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, _, err := ParseKey(text); err != nil && len(err.Error()) > 120 {
			t.Errorf("an error of %d characters", len(err.Error()))
		}
		ParseRequest(text)
		ParseCertificate(text)
		ParseName(text)
	})
}
