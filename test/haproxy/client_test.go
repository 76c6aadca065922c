package haproxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// name is the site.
const name = "www.foobar.com"

func (s *site) trust(t *testing.T) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Inventory, ".ca", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("the CA's certificate cannot be read")
	}
	return pool
}

// answer is what a browser got.
type answer struct {
	status int
	proto  int
	body   string
	leaf   *x509.Certificate
	header http.Header
}

// server is which web server answered.
func (a answer) server() string {
	_, host, _ := strings.Cut(strings.TrimSpace(a.body), " from ")
	return host
}

// get asks the load balancer for a page over a new connection, as a browser on
// the lab's client would.
func (s *site) get(t *testing.T, trust *x509.CertPool, http2 bool, path string) (answer, error) {
	t.Helper()
	tr := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return s.Client.DialContext(ctx, network, net.JoinHostPort(s.Host("lb01").Addr, "443"))
		},
		TLSClientConfig:   &tls.Config{RootCAs: trust, ServerName: name},
		ForceAttemptHTTP2: http2,
	}
	if !http2 {
		tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+name+path, nil)
	if err != nil {
		return answer{}, err
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.ProtoMajor, string(body), res.TLS.PeerCertificates[0], res.Header}, err
}

// loop asks n times, HTTP/1.1 and HTTP/2 in turn, and tells how often each web
// server answered and what failed.
func (s *site) loop(t *testing.T, n int) (servers map[string]int, failures []string) {
	t.Helper()
	trust := s.trust(t)
	servers = map[string]int{}
	for i := range n {
		a, err := s.get(t, trust, i%2 == 1, fmt.Sprintf("/loop?n=%d", i))
		switch {
		case err != nil:
			failures = append(failures, err.Error())
		case a.status != 200:
			failures = append(failures, fmt.Sprintf("status %d", a.status))
		default:
			servers[a.server()]++
		}
	}
	return servers, failures
}

// serves checks that the site answers.
func (s *site) serves(t *testing.T) {
	t.Helper()
	if _, failures := s.loop(t, 4); failures != nil {
		t.Errorf("the site does not answer: %v", failures)
	}
}

// leaf is the certificate a web server has on its disk.
func (s *site) leaf(t *testing.T, host string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(s.On(t, host, "cat /etc/nginx/ssl/"+name+"/fullchain.pem")))
	if block == nil {
		t.Fatalf("%s has no certificate", host)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// plain asks the load balancer's port 80.
func (s *site) plain(t *testing.T, path string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := s.Client.DialContext(ctx, "tcp", net.JoinHostPort(s.Host("lb01").Addr, "80"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, name)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// open reports whether the client reaches a port.
func (s *site) open(t *testing.T, host, port string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := s.Client.DialContext(ctx, "tcp", net.JoinHostPort(s.Host(host).Addr, port))
	if err == nil {
		conn.Close()
	}
	return err == nil
}
