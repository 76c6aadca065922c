package opensslprivatekey_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslprivatekey"
)

const name = "test.key"

// stored puts a key there.
func stored(kind string, size int, curve, format string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		key, err := pki.GenerateKey(kind, size, curve)
		if err != nil {
			t.Fatal(err)
		}
		pem, err := pki.EncodeKey(key, format)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, string(pem))
	}
}

func put(t *testing.T, dir, content string) {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holds checks what the file holds, and that it is private.
func holds(kind string, size int, curve, format string) func(*testing.T, host.Reader, string) {
	return func(t *testing.T, r host.Reader, dir string) {
		path := filepath.Join(dir, name)
		content, err := host.ReadFile(r, path)
		if err != nil {
			t.Fatal(err)
		}
		_, info, err := pki.ParseKey(content)
		if want := (pki.KeyInfo{Type: kind, Size: size, Curve: curve, Format: format}); err != nil || info != want {
			t.Errorf("the file holds %+v, %v, want %+v", info, err, want)
		}
		if st, _ := r.Stat(path); st.Mode != 0o600 {
			t.Errorf("mode %o", st.Mode)
		}
	}
}

func TestConformance(t *testing.T) {
	p256 := map[string]any{"path": "$DIR/" + name, "type": "ECC", "curve": "secp256r1"}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{p256, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	for what, c := range map[string]modulestest.Case{
		"new ECC": {Args: p256, Check: holds("ECC", 256, "secp256r1", "pkcs1"),
			Values: map[string]any{"type": "ECC", "size": 256, "curve": "secp256r1", "filename": "$DIR/" + name},
			Drift: func(t *testing.T, w host.Writer, dir string) {
				if err := w.Chmod(filepath.Join(dir, name), 0o644); err != nil {
					t.Fatal(err)
				}
			}},
		"new RSA":        {Args: with(map[string]any{"type": "RSA", "size": 2048}), Check: holds("RSA", 2048, "", "pkcs1")},
		"new Ed25519":    {Args: with(map[string]any{"type": "Ed25519"}), Check: holds("Ed25519", 0, "", "pkcs8")},
		"pkcs8":          {Args: with(map[string]any{"format": "pkcs8"}), Check: holds("ECC", 256, "secp256r1", "pkcs8")},
		"there":          {Args: p256, Dir: stored("ECC", 0, "secp256r1", "pkcs8"), Unchanged: true},
		"other curve":    {Args: p256, Dir: stored("ECC", 0, "secp384r1", "pkcs1"), Check: holds("ECC", 256, "secp256r1", "pkcs1")},
		"no key":         {Args: p256, Dir: func(t *testing.T, dir string) { put(t, dir, "junk") }, Check: holds("ECC", 256, "secp256r1", "pkcs1")},
		"convert":        {Args: with(map[string]any{"format": "pkcs8", "format_mismatch": "convert"}), Dir: stored("ECC", 0, "secp256r1", "pkcs1"), Check: holds("ECC", 256, "secp256r1", "pkcs8")},
		"never":          {Args: with(map[string]any{"regenerate": "never"}), Dir: stored("RSA", 2048, "", "pkcs1"), Unchanged: true},
		"never, damaged": {Args: with(map[string]any{"regenerate": "never"}), Dir: func(t *testing.T, dir string) { put(t, dir, "junk") }, WantErr: "never forbids"},
		"fail":           {Args: with(map[string]any{"regenerate": "fail"}), Dir: stored("ECC", 0, "secp384r1", "pkcs1"), WantErr: "its curve is secp384r1"},
		"partial":        {Args: with(map[string]any{"regenerate": "partial_idempotence"}), Dir: func(t *testing.T, dir string) { put(t, dir, "junk") }, WantErr: "no private key in PEM"},
		"always":         {Args: with(map[string]any{"regenerate": "always"}), Dir: stored("ECC", 0, "secp256r1", "pkcs1"), Repeats: true},
		"absent":         {Args: map[string]any{"path": "$DIR/" + name, "state": "absent"}, Dir: stored("ECC", 0, "secp256r1", "pkcs1")},
		"absent already": {Args: map[string]any{"path": "$DIR/" + name, "state": "absent"}, Unchanged: true},
		"a directory":    {Args: map[string]any{"path": "$DIR"}, WantErr: "is a directory"},
		"mode":           {Args: with(map[string]any{"mode": "0640"}), Dir: stored("ECC", 0, "secp256r1", "pkcs1")},
		"nobody's":       {Args: with(map[string]any{"owner": "no-such-user"}), WantErr: "no user no-such-user"},
	} {
		c.Module, c.Generated = opensslprivatekey.Module(), true
		t.Run(what, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestBackup(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: opensslprivatekey.Module(), Generated: true,
		Args: map[string]any{"path": "$DIR/" + name, "type": "Ed25519", "backup": true},
		Dir:  func(t *testing.T, dir string) { put(t, dir, "old") },
		Check: func(t *testing.T, r host.Reader, dir string) {
			list, _ := filepath.Glob(filepath.Join(dir, name+".*~"))
			if len(list) != 1 {
				t.Fatalf("backups: %v", list)
			}
			if b, _ := os.ReadFile(list[0]); string(b) != "old" {
				t.Errorf("the backup holds %q", b)
			}
		},
	})
}

func TestRefused(t *testing.T) {
	for want, args := range map[string]map[string]any{
		"needs a curve": {"path": "/k", "type": "ECC"},
		"of 512 bits":   {"path": "/k", "size": 512},
		"no pkcs1":      {"path": "/k", "type": "Ed25519", "format": "pkcs1"},
		"is not one of": {"path": "/k", "type": "DSA"},
	} {
		errs := opensslprivatekey.Module().CheckArgs(args, nil)
		if errs == nil || !strings.Contains(errs.Error(), want) {
			t.Errorf("%v: got %v, want …%s…", args, errs, want)
		}
	}
}
