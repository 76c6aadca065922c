package roles_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

// provided makes a certificate of one's own, and returns certificate and key.
func provided(t *testing.T, days int, names ...string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, days)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// TestNginxOptions has nginx take the rarer settings, certificates of one's
// own and the PROXY protocol, and the role refuse bad certificates.
func TestNginxOptions(t *testing.T) {
	s := newSite(t, lab.Config{Hosts: []string{"web01"}, Groups: map[string][]string{"lb": {}, "web": {"web01"}, "db": {}}})
	dir := t.TempDir()
	cert, key := provided(t, 90, name, "*.shop.example")
	otherCert, otherKey := provided(t, 90, "*.shop.example", "foobar.com")
	soon, soonKey := provided(t, 5, name)
	for file, text := range map[string]string{"cert": cert, "key": key, "other.cert": otherCert, "other.key": otherKey, "soon.cert": soon, "soon.key": soonKey} {
		play.Write(t, dir, file, text)
	}
	vars := play.Write(t, dir, "vars.yml", strings.ReplaceAll(`
ufw_rules_group: [{port: "80,443", proto: tcp}] # there is no load balancer
nginx_ssl_cert_mode: provided
nginx_ssl_cert_src: DIR/cert
nginx_ssl_key_src: DIR/key
nginx_ssl_profile: modern
nginx_ssl_proxy_protocol: true
nginx_ssl_trusted_proxies: [198.18.0.0/15]
nginx_ssl_log_format: combined
nginx_ssl_limit_req: {rate: 50r/s, burst: 100}
nginx_ssl_limit_conn: 100
nginx_ssl_hsts: {max_age: 300, include_subdomains: true}
nginx_ssl_worker_rlimit_nofile: 4096
nginx_ssl_extra_main: "# main"
nginx_ssl_extra_http: "keepalive_timeout 30s;"
nginx_ssl_extra_server: "# every site"
nginx_ssl_sites:
  - name: www.foobar.com
    locations:
      - {match: /moved, return: 302 /}
      - {match: /files/, alias: /srv/, extra: "autoindex on;"}
      - {match: /api/, proxy_pass: "http://127.0.0.1:8080/"}
    return: 200 "$remote_addr\n"
  - name: app
    server_names: [app.shop.example]
    upstream: {servers: ["127.0.0.1:9001", "127.0.0.1:9002 backup"], strategy: least_conn}
  - name: php
    server_names: [php.shop.example]
    root: /srv/php
    php_fpm: unix:/run/php/php-fpm.sock
`, "DIR", dir))
	s.run(t, "--check", "-e", "@"+vars).Must(t, 0)
	s.run(t, "-e", "@"+vars).Must(t, 0)
	quiet(t, s.run(t, "-e", "@"+vars))
	t.Run("proxy protocol", func(t *testing.T) { s.proxied(t, cert) })
	t.Run("a site goes", func(t *testing.T) {
		gone := play.Write(t, dir, "gone.yml", "nginx_ssl_sites: [{name: www.foobar.com}, {name: app, state: absent}, {name: php, state: absent}]\n")
		s.run(t, "-e", "@"+vars, "-e", "@"+gone).Must(t, 0)
		if got := s.on(t, "web01", "ls /etc/nginx/sites-enabled"); got != "00-default.conf\nwww.foobar.com.conf\n" {
			t.Errorf("sites are %s", got)
		}
		quiet(t, s.run(t, "-e", "@"+vars, "-e", "@"+gone))
	})
	for what, c := range map[string]struct{ cert, key, says string }{
		"another key":  {"cert", "other.key", "is not the one of its certificate"},
		"another name": {"other.cert", "other.key", "is not for DNS:www.foobar.com, but for DNS:*.shop.example, DNS:foobar.com"},
		"ends soon":    {"soon.cert", "soon.key", "less than 21 days"},
	} {
		t.Run(what, func(t *testing.T) {
			before := s.on(t, "web01", tree)
			r := s.run(t, "-e", "@"+vars, "-e", "nginx_ssl_cert_src="+dir+"/"+c.cert, "-e", "nginx_ssl_key_src="+dir+"/"+c.key).Must(t, 2)
			if said := touched(t, r); !strings.Contains(said, c.says) {
				t.Errorf("got %s", said)
			}
			if after := s.on(t, "web01", tree); after != before {
				t.Errorf("the configuration was\n%s\nand is\n%s", before, after)
			}
			if strings.Contains(r.Stdout+r.Stderr, body(t, key)) {
				t.Error("the key is in the output")
			}
		})
	}
}

// proxied speaks to nginx as a load balancer does.
func (s *site) proxied(t *testing.T, cert string) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(cert))
	ask := func(greeting string) (string, error) {
		conn, err := s.dial(t, "web01", "443")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, greeting)
		client := tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: name})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := client.HandshakeContext(ctx); err != nil {
			return "", err
		}
		fmt.Fprintf(client, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name)
		res, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		text, err := bufio.NewReader(res.Body).ReadString('\n')
		return text, err
	}
	if got, err := ask("PROXY TCP4 203.0.113.9 203.0.113.1 4711 443\r\n"); got != "203.0.113.9\n" {
		t.Errorf("nginx sees the client as %q, %v", got, err)
	}
	if got, err := ask(""); err == nil {
		t.Errorf("without the PROXY protocol it answers %q", got)
	}
}

// TestLockout shuts ssh out on purpose: the host opens again by itself, and a
// run with the right setting then succeeds.
func TestLockout(t *testing.T) {
	s := newSite(t, lab.Config{Hosts: []string{"lb01"}, Groups: map[string][]string{"lb": {"lb01"}, "web": {}, "db": {}}})
	r := s.run(t, "--tags", "ufw", "-T", "3", "-e", "ufw_ssh_from=203.0.113.1", "-e", "ufw_rollback_seconds=10").Must(t, 4)
	if stats := r.Recap(t)["lb01"]; stats.Unreachable != 1 {
		t.Errorf("recap %+v", stats)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		conn, err := s.dial(t, "lb01", "22")
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the host does not open again: %v\n%s", err, s.on(t, "lb01", "ufw status; systemctl list-timers --all"))
		}
	}
	s.run(t, "--tags", "ufw").Must(t, 0)
	if status := s.on(t, "lb01", "ufw status; systemctl list-timers --all"); !strings.Contains(status, "Status: active") || strings.Contains(status, "rollback") {
		t.Errorf("got %s", status)
	}
	quiet(t, s.run(t, "--tags", "ufw"))
}
