package x509certificateinfo_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslcsr"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslprivatekey"
	"github.com/foobar-play/foobar-play/pkg/modules/x509certificate"
	"github.com/foobar-play/foobar-play/pkg/modules/x509certificateinfo"
)

// selfSigned makes a certificate dir/crt.
func selfSigned(t *testing.T, dir string) {
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, task := range []struct {
		m    *modules.Module
		args map[string]any
	}{
		{opensslprivatekey.Module(), map[string]any{"path": at("key"), "type": "ECC", "curve": "secp384r1"}},
		{opensslcsr.Module(), map[string]any{"path": at("csr"), "privatekey_path": at("key"), "organization_name": "Example", "common_name": "a.example.com",
			"subject_alt_name": []any{"IP:192.0.2.1", "DNS:a.example.com"}, "key_usage": "keyCertSign,digitalSignature", "key_usage_critical": true,
			"extended_key_usage": "serverAuth,1.2.3.4", "basic_constraints": "CA:TRUE,pathlen:0", "ocsp_must_staple": true}},
		{x509certificate.Module(), map[string]any{"path": at("crt"), "csr_path": at("csr"), "privatekey_path": at("key"), "provider": "selfsigned", "selfsigned_not_after": "+90d"}},
	} {
		a, err := task.m.Build(modules.Env{}, task.args)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := modules.Execute(t.Context(), task.m.Name, a, host.NewReal(), modules.Mode{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConformance(t *testing.T) {
	pair := func(a, b string) []any { return []any{a, b} }
	for what, c := range map[string]modulestest.Case{
		"describes": {
			Args: map[string]any{"path": "$DIR/crt", "valid_at": map[string]any{"soon": "+3w", "late": "+100d", "before": "20200101000000Z"}},
			Dir:  selfSigned, Unchanged: true,
			Values: map[string]any{
				"expired": false, "version": 3, "public_key_type": "ECC", "signature_algorithm": "ecdsa-with-SHA256",
				"subject":          map[string]any{"organizationName": "Example", "commonName": "a.example.com"},
				"issuer_ordered":   []any{pair("organizationName", "Example"), pair("commonName", "a.example.com")},
				"subject_alt_name": []any{"DNS:a.example.com", "IP:192.0.2.1"},
				"key_usage":        []any{"Certificate Sign", "Digital Signature"}, "key_usage_critical": true,
				"extended_key_usage": []any{"TLS Web Server Authentication", "1.2.3.4"}, "extended_key_usage_critical": false,
				"basic_constraints": []any{"CA:TRUE", "pathlen:0"}, "basic_constraints_critical": false,
				"ocsp_must_staple": true, "ocsp_uri": nil, "authority_key_identifier": nil,
				"valid_at": map[string]any{"soon": true, "late": false, "before": false},
			},
		},
		"no file":        {Args: map[string]any{"path": "$DIR/crt"}, WantErr: "read the certificate"},
		"no certificate": {Args: map[string]any{"content": "junk"}, WantErr: "no certificate in PEM"},
	} {
		c.Module = x509certificateinfo.Module()
		t.Run(what, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestContentIsLikeAFile(t *testing.T) {
	dir := t.TempDir()
	selfSigned(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "crt"))
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	for _, args := range []map[string]any{{"path": filepath.Join(dir, "crt")}, {"content": string(text)}} {
		a, err := x509certificateinfo.Module().Build(modules.Env{}, args)
		if err != nil {
			t.Fatal(err)
		}
		res, err := modules.Execute(t.Context(), "info", a, host.NewReal(), modules.Mode{})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, res.Values)
	}
	if !reflect.DeepEqual(got[0], got[1]) {
		t.Errorf("by path %v, by content %v", got[0], got[1])
	}
	prints := got[0]["fingerprints"].(map[string]any)
	if strings.Count(prints["sha256"].(string), ":") != 31 {
		t.Errorf("sha256 is %v", prints["sha256"])
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []map[string]any{{}, {"path": "a", "content": "b"}, {"path": "a", "valid_at": map[string]any{"x": "soon"}}} {
		if x509certificateinfo.Module().CheckArgs(args, nil) == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
