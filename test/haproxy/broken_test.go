package haproxy_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/test/play"
)

// tree describes every file of haproxy's configuration, times included.
const tree = `cd /etc/haproxy && find . -printf '%p %y %m %u %g %T@ %l\n' | sort; find . -type f -exec sha256sum {} + | sort; systemctl show haproxy -p MainPID; test ! -e /var/lib/foobar-play/haproxy; test ! -e /etc/haproxy.refused; ls /tmp`

// worker is the process that serves.
const worker = `echo 'show proc' | socat - /run/haproxy-master.sock | awk '$2 == "worker" { print $1; exit }'`

func (s *site) broken(t *testing.T) {
	dir := t.TempDir()
	cert, key := s.certificate(t, dir, "a", true)
	_, other := s.certificate(t, dir, "b", true)
	junk := play.Write(t, dir, "junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	stranger, _ := s.certificate(t, dir, "stranger", false)
	section := func(kv ...any) []any {
		m := map[string]any{"name": "x"}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return []any{m}
	}
	vars := func(kv ...any) map[string]any { return section(kv...)[0].(map[string]any) }
	for what, c := range map[string]struct {
		vars map[string]any
		said string
		live bool // it gets as far as the running haproxy
	}{
		"an unknown word":       {vars: vars("haproxy_extra", "backend y\n    nonsense on"), said: "unknown keyword 'nonsense'"},
		"global":                {vars: vars("haproxy_global", map[string]any{"extra": "maxcon 5"}), said: "unknown keyword 'maxcon'"},
		"balance":               {vars: vars("haproxy_balance", "fastest"), said: "balance only supports"},
		"no such backend":       {vars: vars("haproxy_frontends", section("bind", ":8443", "default_backend", "nobody")), said: "unable to find required default_backend: 'nobody'"},
		"two of a name":         {vars: vars("haproxy_backends", []any{map[string]any{"name": "be_https"}}), said: "be_https"},
		"a time":                {vars: vars("haproxy_defaults", map[string]any{"timeouts": map[string]any{"client": "5 parsecs"}}), said: "'timeout client'"},
		"an address":            {vars: vars("haproxy_listens", section("bind", ":8443", "servers", []any{map[string]any{"name": "s", "address": "300.1.2.3:x"}})), said: "300.1.2.3"},
		"a condition":           {vars: vars("haproxy_listens", section("mode", "http", "bind", ":8443", "http_request", []any{"deny if nowhere"})), said: "no such ACL : 'nowhere'"},
		"a port in use":         {vars: vars("haproxy_listens", section("bind", ":22")), said: "cannot bind socket", live: true},
		"a CA that is none":     {vars: vars("haproxy_ca_src", junk), said: "ca.crt"},
		"a CA of somebody else": {vars: vars("haproxy_ca_src", stranger), said: "SSL handshake failure"},
		"a CA that is missing":  {vars: vars("haproxy_ca_src", dir+"/nowhere.crt"), said: "nowhere.crt"},
		"another name":          {vars: vars("haproxy_check", map[string]any{"host": "other.foobar.com"}), said: "SSL handshake failure"},
		"another page":          {vars: vars("haproxy_check", map[string]any{"path": "/nowhere", "expect": 204}), said: "L7STS"},
		"no PROXY protocol":     {vars: vars("haproxy_send_proxy", "none"), said: "finds none of the web servers in order"},
		"another port":          {vars: vars("haproxy_backend_port", 4443), said: "L4"},
		"nobody to balance":     {vars: vars("haproxy_backend_servers_group", "nobody"), said: "The group nobody"},
		"no certificate":        {vars: vars("haproxy_https_mode", "terminate"), said: "haproxy_certificates must name a certificate"},
		"a certificate that is none": {vars: vars("haproxy_https_mode", "reencrypt", "haproxy_certificates",
			section("cert_src", junk, "key_src", key)), said: "x.pem"},
		"a key of another": {vars: vars("haproxy_https_mode", "reencrypt", "haproxy_certificates",
			section("cert_src", cert, "key_src", other)), said: "x.pem"},
		"an unknown mode":      {vars: vars("haproxy_https_mode", "offload"), said: "offload"},
		"an unknown parameter": {vars: vars("haproxy_check", map[string]any{"hots": "x"}), said: "hots"},
	} {
		t.Run(what, func(t *testing.T) {
			delete(c.vars, "name")
			c.vars["haproxy_verify_seconds"] = 6
			text, err := json.Marshal(c.vars)
			if err != nil {
				t.Fatal(err)
			}
			before, serving := s.On(t, "lb01", tree), s.On(t, "lb01", worker)
			r := s.balancer(t, "-e", string(text))
			if r.Code != 2 && r.Code != 65 {
				t.Errorf("it was taken")
			}
			said := r.Stderr // what is refused before anything is contacted
			if r.Code == 2 {
				said = r.Touched(t)
			}
			if !strings.Contains(said, c.said) {
				t.Errorf("the failure does not say %q:\n%s", c.said, said)
			}
			if after := s.On(t, "lb01", tree); after != before {
				t.Errorf("it was\n%s\nand is\n%s", before, after)
			}
			if now := s.On(t, "lb01", worker); !c.live && now != serving {
				t.Error("the running process was replaced")
			}
			s.serves(t)
		})
	}
	s.balancer(t).Quiet(t)
}

// certificate makes a certificate for the site and its key; signed by the
// site's CA, or by itself.
func (s *site) certificate(t *testing.T, dir, file string, signed bool) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, file+".crt"), filepath.Join(dir, file+".key")
	args := []string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
		"-addext", "subjectAltName=DNS:" + name, "-days", "10", "-keyout", key, "-out", cert}
	if signed {
		ca := filepath.Join(s.Inventory, ".ca")
		args = append(args, "-CA", filepath.Join(ca, "ca.crt"), "-CAkey", filepath.Join(ca, "ca.key"), "-addext", "basicConstraints=critical,CA:FALSE")
	}
	if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	return cert, key
}

// reencrypt ends TLS at the load balancer, and begins it anew; then to plain
// HTTP, and back.
func (s *site) reencrypt(t *testing.T) {
	cert, key := s.certificate(t, t.TempDir(), "lb", true)
	vars := func(mode string, more map[string]any) string {
		m := map[string]any{"haproxy_https_mode": mode, "haproxy_certificates": []any{map[string]any{"name": "www", "cert_src": cert, "key_src": key}}}
		for k, v := range more {
			m[k] = v
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	s.balancer(t, "-e", vars("reencrypt", nil)).Must(t, 0)
	s.balancer(t, "-e", vars("reencrypt", nil)).Quiet(t)
	a, err := s.get(t, s.trust(t), true, "/")
	if err != nil || a.status != 200 || a.proto != 2 {
		t.Errorf("%+v, %v", a, err)
	} else if s.leaf(t, a.server()).Equal(a.leaf) {
		t.Error("the certificate is the web server's")
	}
	if got := s.On(t, "lb01", "stat -c '%a %U' /etc/haproxy/certs/www.pem /etc/haproxy/certs"); got != "600 root\n700 root\n" {
		t.Errorf("the key is %s", got)
	}
	// The web servers have nothing but a redirect to say in plain HTTP.
	plain := map[string]any{"haproxy_check": map[string]any{"expect": 301}, "haproxy_sni_allow": []any{name},
		"haproxy_stick": map[string]any{"enabled": true}, "haproxy_rate_limit": map[string]any{"conn_rate": 1000}}
	s.balancer(t, "-e", vars("terminate", plain)).Must(t, 0)
	if a, err := s.get(t, s.trust(t), true, "/"); err != nil || a.status != 301 {
		t.Errorf("%+v, %v", a, err)
	}
	s.balancer(t, "-e", `{"haproxy_certificates": [{"name": "www", "state": "absent"}], "haproxy_sni_allow": ["`+name+`"], "haproxy_stick": {"enabled": true, "type": "ssl_sessid"}}`).Must(t, 0)
	s.serves(t)
	if keys := s.On(t, "lb01", "ls /etc/haproxy/certs"); keys != "" {
		t.Errorf("keys are left: %s", keys)
	}
	s.balancer(t).Must(t, 0)
	s.balancer(t).Quiet(t)
}

// stateless takes the drop-in of the unit away again.
func (s *site) stateless(t *testing.T) {
	const off = "haproxy_preserve_server_state=false"
	s.balancer(t, "-e", off).Must(t, 0)
	s.balancer(t, "-e", off).Quiet(t)
	if got := s.On(t, "lb01", "systemctl show haproxy -p ExecReload -p DropInPaths"); strings.Contains(got, "foobar-play") {
		t.Errorf("the unit is %s", got)
	}
	s.serves(t)
	s.balancer(t).Must(t, 0)
	s.serves(t)
}
