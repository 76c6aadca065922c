package roles_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// name is the site the web servers have.
const name = "www.foobar.com"

// session is an ssh session that was there before the firewall.
type session struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// openSession logs in and waits for a line to echo.
func (s *site) openSession(t *testing.T, host string) *session {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ssh", append(s.Host(host).SSHArgs(), `echo ready; read line; echo "still $line"`)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	ses := &session{in, bufio.NewReader(out)}
	if line, err := ses.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("log in to %s: %q, %v", host, line, err)
	}
	return ses
}

func (s *session) check(t *testing.T) {
	fmt.Fprintln(s.in, "here")
	got := make(chan string, 1)
	go func() {
		line, _ := s.out.ReadString('\n')
		got <- line
	}()
	select {
	case line := <-got:
		if line != "still here\n" {
			t.Errorf("the session says %q", line)
		}
	case <-time.After(20 * time.Second):
		t.Error("the session says nothing any more")
	}
}

// web lists the web servers.
var web = []string{"web01", "web02"}

func (s *site) caFile() string { return filepath.Join(s.inventory, ".ca", "ca.crt") }

func (s *site) trust(t *testing.T) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(s.caFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("the CA's certificate cannot be read")
	}
	return pool
}

// dial connects from the lab's client to a port of a host.
func (s *site) dial(t *testing.T, host, port string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	return s.Client.DialContext(ctx, "tcp", net.JoinHostPort(s.Host(host).Addr, port))
}

// behind connects to a port of a web server as the load balancer does, from
// there and with the PROXY protocol: nobody else is let in.
func (s *site) behind(t *testing.T, host, port string) net.Conn {
	t.Helper()
	to := s.Host(host).Addr
	cmd, err := s.Host("lb01").Command(t.Context(), "socat", "-", "TCP:"+net.JoinHostPort(to, port))
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := net.Pipe()
	header := fmt.Sprintf("PROXY TCP4 %s %s 40000 %s\r\n", s.Client.Addr, to, port)
	cmd.Stdin, cmd.Stdout = io.MultiReader(strings.NewReader(header), theirs), theirs
	go func() {
		_ = cmd.Run() // ends when either side closes
		theirs.Close()
	}()
	return mine
}

// get asks a web server for a path as a browser would, with the name in the
// handshake and that in the request.
func (s *site) get(t *testing.T, host, sni, header, path string) (*http.Response, string, error) {
	t.Helper()
	tr := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return s.behind(t, host, "443"), nil
		},
		TLSClientConfig:   &tls.Config{RootCAs: s.trust(t), ServerName: sni},
		ForceAttemptHTTP2: true,
	}
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+header+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func (s *site) https(t *testing.T) {
	out, err := s.Client.Exec(t.Context(), "sh", "-c", fmt.Sprintf(
		"openssl s_client -connect %s:443 -servername %s -CAfile %s -verify_hostname %[2]s -verify_return_error </dev/null 2>&1", s.Host("lb01").Addr, name, s.caFile()))
	if err != nil || !strings.Contains(out, "Verify return code: 0 (ok)") || !strings.Contains(out, "Verified peername: "+name) {
		t.Errorf("openssl: %v\n%s", err, out)
	}
	for _, host := range web {
		res, body, err := s.get(t, host, name, name, "/")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if res.StatusCode != http.StatusOK || !strings.Contains(body, host) || res.ProtoMajor != 2 ||
			res.Header.Get("Strict-Transport-Security") != "max-age=63072000" || res.Header.Get("Server") != "nginx" {
			t.Errorf("%s: %s %s\n%v\n%s", host, res.Proto, res.Status, res.Header, body)
		}
		if left := time.Until(res.TLS.PeerCertificates[0].NotAfter); left < 89*24*time.Hour || left > 90*24*time.Hour {
			t.Errorf("%s: the certificate is valid for another %v", host, left)
		}
		if res, _, err := s.get(t, host, name, "other.example", "/"); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: another name in the request than in the handshake: %v, %v", host, res, err)
		}
		if _, _, err := s.get(t, host, "other.example", "other.example", "/"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: a name it does not have: %v", host, err)
		}
		s.refusesOldTLS(t, host)
	}
}

func (s *site) refusesOldTLS(t *testing.T, host string) {
	conn := s.behind(t, host, "443")
	defer conn.Close()
	old := tls.Client(conn, &tls.Config{RootCAs: s.trust(t), ServerName: name, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := old.HandshakeContext(t.Context()); err == nil {
		t.Errorf("%s: speaks TLS 1.1", host)
	}
}

func (s *site) redirect(t *testing.T) {
	for _, host := range web {
		conn := s.behind(t, host, "80")
		fmt.Fprintf(conn, "GET /a?b=1 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Error(err)
		} else if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != "https://"+name+"/a?b=1" {
			t.Errorf("%s: %s to %q", host, res.Status, got)
		}
		conn.Close()
	}
}

// ports has a server listen where the database will, and tries it from
// everywhere.
func (s *site) ports(t *testing.T) {
	s.on(t, "web01", "systemd-run --quiet --unit=listener systemd-socket-activate -l 3306 -l 8081 --accept --inetd cat")
	for _, port := range []string{"3306", "8081"} {
		s.on(t, "web01", "for i in $(seq 100); do ss -ltn | grep -q ':"+port+" ' && exit 0; sleep 0.1; done; exit 1")
	}
	reach := func(from, port string) bool {
		if from == "client" {
			conn, err := s.dial(t, "web01", port)
			if err == nil {
				conn.Close()
			}
			return err == nil
		}
		script := fmt.Sprintf("timeout 2 bash -c 'exec 3<>/dev/tcp/%s/%s' 2>/dev/null && echo open || echo closed", s.Host("web01").Addr, port)
		return strings.TrimSpace(s.on(t, from, script)) == "open"
	}
	for from, want := range map[string]map[string]bool{
		"client": {"22": true, "80": false, "443": false, "3306": false, "8081": false},
		"lb01":   {"22": true, "80": true, "443": true, "3306": false, "8081": false},
		"web02":  {"3306": true, "80": false, "443": false, "8081": false},
	} {
		for port, open := range want {
			if got := reach(from, port); got != open {
				t.Errorf("from %s to web01:%s: open %v, want %v", from, port, got, open)
			}
		}
	}
}

// keys: the CA's stays on the controller, each server's on the server.
func (s *site) keys(t *testing.T) {
	info, err := os.Stat(filepath.Join(s.inventory, ".ca", "ca.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the CA's key: %v, %v", info, err)
	}
	ca, err := os.ReadFile(filepath.Join(s.inventory, ".ca", "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range web {
		file := "/etc/nginx/ssl/" + name + "/privkey.pem"
		if got := s.on(t, host, "stat -c '%a %U' "+file); got != "600 root\n" {
			t.Errorf("%s: the key is %s", host, got)
		}
		key := s.on(t, host, "cat "+file)
		for secret, want := range map[string]string{string(ca): "", key: file + "\n"} {
			found := s.on(t, host, "grep -rlF -- "+body(t, secret)+" /etc /var /tmp /run /root /home /usr/local /srv 2>/dev/null || true")
			if found != want {
				t.Errorf("%s: a key is in %q, want %q", host, found, want)
			}
		}
		err := filepath.WalkDir(s.inventory, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if strings.Contains(string(content), body(t, key)) {
				err = errors.Join(err, fmt.Errorf("%s holds the key of %s", path, host))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// body is a line of a key in PEM that no other key has.
func body(t *testing.T, key string) string {
	t.Helper()
	lines := strings.Split(key, "\n")
	if len(lines) < 4 || len(lines[2]) < 32 {
		t.Fatalf("no key of several lines")
	}
	return lines[2]
}
