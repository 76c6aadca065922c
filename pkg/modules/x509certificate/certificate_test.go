package x509certificate_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslcsr"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslprivatekey"
	"github.com/foobar-play/foobar-play/pkg/modules/x509certificate"
)

// do runs a task on this machine's files.
func do(t *testing.T, m *modules.Module, args map[string]any) modules.Result {
	t.Helper()
	a, err := m.Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), m.Name, a, host.NewReal(), modules.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// ca makes a CA and a leaf's key and request in dir, as a role does.
func ca(t *testing.T, dir string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, k := range []string{"ca.key", "key"} {
		do(t, opensslprivatekey.Module(), map[string]any{"path": at(k), "type": "ECC", "curve": "secp256r1"})
	}
	do(t, opensslcsr.Module(), map[string]any{"path": at("ca.csr"), "privatekey_path": at("ca.key"), "common_name": "Test CA",
		"use_common_name_for_san": false, "basic_constraints": "CA:TRUE,pathlen:0", "basic_constraints_critical": true,
		"key_usage": "keyCertSign,cRLSign", "key_usage_critical": true})
	do(t, x509certificate.Module(), map[string]any{"path": at("ca.crt"), "csr_path": at("ca.csr"), "privatekey_path": at("ca.key"), "provider": "selfsigned"})
	request(t, dir, "www.example.com")
}

func request(t *testing.T, dir, name string) {
	do(t, opensslcsr.Module(), map[string]any{"path": filepath.Join(dir, "csr"), "privatekey_path": filepath.Join(dir, "key"), "common_name": name,
		"subject_alt_name": []any{"DNS:" + name, "IP:192.0.2.1"}, "key_usage": "digitalSignature", "extended_key_usage": "serverAuth"})
}

func leaf(more map[string]any) map[string]any {
	out := map[string]any{"path": "$DIR/crt", "csr_path": "$DIR/csr", "provider": "ownca", "ownca_path": "$DIR/ca.crt",
		"ownca_privatekey_path": "$DIR/ca.key", "ownca_not_after": "+90d", "remaining_days": 21}
	for k, v := range more {
		out[k] = v
		if v == nil {
			delete(out, k)
		}
	}
	return out
}

// verifies checks the chain as a client does.
func verifies(t *testing.T, r host.Reader, dir string) {
	t.Helper()
	read := func(name string) *x509.Certificate {
		text, err := host.ReadFile(r, filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := pki.ParseCertificate(text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	roots := x509.NewCertPool()
	root, crt := read("ca.crt"), read("crt")
	roots.AddCert(root)
	if _, err := crt.Verify(x509.VerifyOptions{DNSName: "www.example.com", Roots: roots}); err != nil {
		t.Error(err)
	}
	if left := time.Until(crt.NotAfter); left > 90*24*time.Hour || left < 89*24*time.Hour {
		t.Errorf("it is valid for %v", left)
	}
	if !slices.Equal(crt.AuthorityKeyId, root.SubjectKeyId) || len(crt.SubjectKeyId) == 0 || crt.IsCA {
		t.Errorf("identifiers %x of %x, %x", crt.AuthorityKeyId, root.SubjectKeyId, crt.SubjectKeyId)
	}
}

// issued is a directory with a certificate already, made with other options.
func issued(more map[string]any) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		ca(t, dir)
		args := leaf(more)
		for k, v := range args {
			if s, ok := v.(string); ok {
				args[k] = strings.ReplaceAll(s, "$DIR", dir)
			}
		}
		do(t, x509certificate.Module(), args)
	}
}

func TestConformance(t *testing.T) {
	const selfKey = "$DIR/ca.key"
	for what, c := range map[string]modulestest.Case{
		"own CA": {Args: leaf(nil), Dir: ca, Check: verifies, Values: map[string]any{"ca_cert": "$DIR/ca.crt"}, Drift: func(t *testing.T, w host.Writer, dir string) {
			if err := w.Remove(filepath.Join(dir, "crt")); err != nil {
				t.Fatal(err)
			}
		}},
		"as wanted":     {Args: leaf(nil), Dir: issued(nil), Unchanged: true},
		"runs out":      {Args: leaf(nil), Dir: issued(map[string]any{"ownca_not_after": "+20d", "remaining_days": 0}), Check: verifies},
		"lasts":         {Args: leaf(nil), Dir: issued(map[string]any{"ownca_not_after": "+22d"}), Unchanged: true},
		"has run out":   {Args: leaf(map[string]any{"remaining_days": 0}), Dir: expired, Check: verifies},
		"other request": {Args: leaf(nil), Dir: func(t *testing.T, dir string) { issued(nil)(t, dir); request(t, dir, "other.example.com") }},
		"other key": {Args: leaf(nil), Dir: func(t *testing.T, dir string) {
			issued(nil)(t, dir)
			rekey(t, dir, "key")
			request(t, dir, "www.example.com")
		}, Check: verifies},
		"other CA": {Args: leaf(nil), Dir: func(t *testing.T, dir string) {
			issued(nil)(t, dir)
			os.Remove(filepath.Join(dir, "ca.crt"))
			rekey(t, dir, "ca.key")
			keep(t, dir, "key", "csr", func() { ca(t, dir) })
		}, Check: verifies},
		"damaged":         {Args: leaf(nil), Dir: func(t *testing.T, dir string) { ca(t, dir); junk(t, dir, "crt") }, Check: verifies},
		"mode":            {Args: leaf(map[string]any{"mode": "0640"}), Dir: issued(nil), Check: verifies},
		"no CA":           {Args: leaf(nil), WantErr: "make it first"},
		"not a CA":        {Args: leaf(map[string]any{"ownca_path": "$DIR/crt", "ownca_privatekey_path": "$DIR/key"}), Dir: issued(nil), WantErr: "CA:TRUE"},
		"CA mixed up":     {Args: leaf(map[string]any{"ownca_privatekey_path": "$DIR/key"}), Dir: issued(nil), WantErr: "do not belong together"},
		"wrong key":       {Args: leaf(map[string]any{"privatekey_path": selfKey}), Dir: issued(nil), WantErr: "for another private key"},
		"damaged request": {Args: leaf(nil), Dir: func(t *testing.T, dir string) { issued(nil)(t, dir); junk(t, dir, "csr") }, WantErr: "no certificate request in PEM"},
		"self-signed":     {Args: map[string]any{"path": "$DIR/crt", "provider": "selfsigned", "privatekey_path": selfKey, "mode": "0600"}, Dir: ca},
		"by another key":  {Args: map[string]any{"path": "$DIR/crt", "provider": "selfsigned", "privatekey_path": "$DIR/key", "csr_path": "$DIR/csr"}, Dir: issued(nil)},
		"force":           {Args: leaf(map[string]any{"force": true}), Dir: issued(nil), Repeats: true, Check: verifies},
		"absolute":        {Args: leaf(map[string]any{"ownca_not_before": "20260101000000Z", "ownca_not_after": "20990101000000Z", "ignore_timestamps": false}), Dir: issued(nil)},
		"absent":          {Args: map[string]any{"path": "$DIR/crt", "state": "absent", "backup": true}, Dir: issued(nil)},
	} {
		c.Module, c.Generated = x509certificate.Module(), true
		t.Run(what, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// expired leaves a certificate that has ended.
func expired(t *testing.T, dir string) {
	ca(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := pki.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := pki.Name{}.DER()
	if err != nil {
		t.Fatal(err)
	}
	crt, err := pki.Issuer{Key: key}.Issue(pki.Template{RawSubject: subject, Public: key.Public(), Digest: "sha256",
		NotBefore: time.Now().AddDate(0, 0, -3), NotAfter: time.Now().AddDate(0, 0, -1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "crt"), crt, 0o600); err != nil {
		t.Fatal(err)
	}
}

// rekey replaces a key.
func rekey(t *testing.T, dir, name string) {
	do(t, opensslprivatekey.Module(), map[string]any{"path": filepath.Join(dir, name), "type": "ECC", "curve": "secp256r1", "force": true})
}

// keep runs f and puts two files back as they were.
func keep(t *testing.T, dir, a, b string, f func()) {
	t.Helper()
	saved := map[string][]byte{}
	for _, n := range []string{a, b} {
		content, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		saved[n] = content
	}
	f()
	for n, content := range saved {
		if err := os.WriteFile(filepath.Join(dir, n), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func junk(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRefused(t *testing.T) {
	for want, more := range map[string]map[string]any{
		"provider is needed":        {"provider": nil},
		"is not one of":             {"provider": "acme"},
		"ownca needs csr_path":      {"csr_path": nil},
		"ownca needs ownca_path":    {"ownca_content": "x"},
		"exclude each other":        {"csr_content": "x"},
		"not a point in time":       {"ownca_not_after": "90 days"},
		"end before it begins":      {"ownca_not_after": "-1d"},
		"be renewed in each run":    {"remaining_days": 90},
		"each run makes a new":      {"ignore_timestamps": false},
		"selfsigned needs privatek": {"provider": "selfsigned"},
	} {
		errs := x509certificate.Module().CheckArgs(leaf(more), nil)
		if errs == nil || !strings.Contains(errs.Error(), want) {
			t.Errorf("%v: got %v, want …%s…", more, errs, want)
		}
	}
}
