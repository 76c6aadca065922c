package opensslcsr_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslcsr"
)

func newKey(t *testing.T, path string) {
	t.Helper()
	key, err := pki.GenerateKey(pki.ECC, 0, "secp256r1")
	if err != nil {
		t.Fatal(err)
	}
	pem, err := pki.EncodeKey(key, "pkcs8")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem, 0o600); err != nil {
		t.Fatal(err)
	}
}

func withKey(t *testing.T, dir string) { newKey(t, filepath.Join(dir, "key")) }

func parsed(t *testing.T, r host.Reader, dir string) *x509.CertificateRequest {
	t.Helper()
	text, err := host.ReadFile(r, filepath.Join(dir, "csr"))
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.ParseRequest(text)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

func args(more map[string]any) map[string]any {
	out := map[string]any{"path": "$DIR/csr", "privatekey_path": "$DIR/key", "common_name": "www.example.com"}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func TestConformance(t *testing.T) {
	for what, c := range map[string]modulestest.Case{
		"plain": {Args: args(nil), Dir: withKey, Check: func(t *testing.T, r host.Reader, dir string) {
			csr := parsed(t, r, dir)
			if csr.Subject.String() != "CN=www.example.com" || !slices.Equal(csr.DNSNames, []string{"www.example.com"}) {
				t.Errorf("subject %s, names %v", csr.Subject, csr.DNSNames)
			}
		}, Drift: func(t *testing.T, w host.Writer, dir string) {
			newKey(t, filepath.Join(dir, "key"))
		}},
		"everything": {Args: args(map[string]any{
			"C": "DE", "organization_name": "Müller & Co", "email_address": "a@example.com", "subject": map[string]any{"OU": []any{"one", "two"}},
			"subject_alt_name": "DNS:a.example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1,email:x@example.com,URI:https://example.com/",
			"key_usage":        []any{"digitalSignature", "Key Agreement", "decipherOnly"}, "key_usage_critical": true,
			"extended_key_usage": []any{"serverAuth", "1.2.3.4"},
			"basic_constraints":  []any{"CA:TRUE", "pathlen:0"}, "basic_constraints_critical": true,
			"ocsp_must_staple": true, "return_content": true, "mode": "0640",
		}), Dir: withKey, Check: func(t *testing.T, r host.Reader, dir string) {
			csr := parsed(t, r, dir)
			if got := csr.Subject.String(); !strings.Contains(got, "O=Müller & Co,C=DE") {
				t.Errorf("subject %s", got)
			}
			names := pki.SANTexts(csr.DNSNames, csr.EmailAddresses, csr.IPAddresses, csr.URIs)
			if len(names) != 6 || !slices.Contains(names, "IP:2001:db8::1") || len(csr.Extensions) != 5 {
				t.Errorf("names %v, %d extensions", names, len(csr.Extensions))
			}
		}, Values: map[string]any{"subject": []any{[]any{"countryName", "DE"}, []any{"organizationName", "Müller & Co"},
			[]any{"commonName", "www.example.com"}, []any{"emailAddress", "a@example.com"},
			[]any{"organizationalUnitName", "one"}, []any{"organizationalUnitName", "two"}}, "ocsp_must_staple": true}},
		"ordered": {Args: map[string]any{"path": "$DIR/csr", "privatekey_path": "$DIR/key", "use_common_name_for_san": false,
			"subject_ordered": []any{map[string]any{"CN": "foobar CA"}, map[string]any{"C": "DE"}}}, Dir: withKey,
			Values: map[string]any{"subject": []any{[]any{"commonName", "foobar CA"}, []any{"countryName", "DE"}}}},
		"no key":    {Args: args(nil), WantErr: "make it first"},
		"bad key":   {Args: args(nil), Dir: func(t *testing.T, dir string) { put(t, dir, "key"); put(t, dir, "csr") }, WantErr: "no private key in PEM"},
		"damaged":   {Args: args(nil), Dir: func(t *testing.T, dir string) { withKey(t, dir); put(t, dir, "csr") }},
		"force":     {Args: args(map[string]any{"force": true}), Dir: withKey, Repeats: true},
		"absent":    {Args: map[string]any{"path": "$DIR/csr", "state": "absent"}, Dir: func(t *testing.T, dir string) { put(t, dir, "csr") }},
		"gone":      {Args: map[string]any{"path": "$DIR/csr", "state": "absent"}, Unchanged: true},
		"backed up": {Args: args(map[string]any{"backup": true}), Dir: func(t *testing.T, dir string) { withKey(t, dir); put(t, dir, "csr") }},
	} {
		c.Module, c.Generated = opensslcsr.Module(), true
		t.Run(what, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func put(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRefused(t *testing.T) {
	for want, more := range map[string]map[string]any{
		"either privatekey_path":       {"privatekey_content": "x"},
		"needs a prefix":               {"subject_alt_name": "www.example.com"},
		"not an IP address":            {"subject_alt_name": "IP:www"},
		"holds characters":             {"subject_alt_name": "DNS:müller.example"},
		"cannot be a DNS name as well": {"common_name": "foobar CA"},
		"is not a key usage":           {"key_usage": "signing"},
		"not an extended key usage":    {"extended_key_usage": "servrAuth"},
		"is not a basic constraint":    {"basic_constraints": "CA:YES"},
		"is not a part of a name":      {"subject": map[string]any{"color": "red"}},
		"code of two letters":          {"country_name": "Germany"},
		"excludes the other options":   {"subject_ordered": []any{map[string]any{"CN": "x"}}},
	} {
		errs := opensslcsr.Module().CheckArgs(args(more), nil)
		if errs == nil || !strings.Contains(errs.Error(), want) {
			t.Errorf("%v: got %v, want …%s…", more, errs, want)
		}
	}
}
