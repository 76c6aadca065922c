package geturl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

type m = map[string]any

const body = "the tool, version 2\n"

var bodySHA256 = func() string { s := sha256.Sum256([]byte(body)); return hex.EncodeToString(s[:]) }()

// site is a server; asked counts the requests for the tool.
func site(t *testing.T, secure bool) (srv *httptest.Server, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	modified := time.Now().Add(-time.Hour)
	mux := http.NewServeMux()
	mux.HandleFunc("/tool", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.ServeContent(w, r, "tool", modified, strings.NewReader(body))
	})
	mux.HandleFunc("/always", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body) })
	mux.HandleFunc("/sums", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%064d  other\n%s *dist/tool\n", 0, strings.ToUpper(bodySHA256))
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, body)
	})
	mux.HandleFunc("/private", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "me" || password != "s3cret" || r.Header.Get("X-Token") != "7" || r.UserAgent() != "ansible-httpget" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, body)
	})
	release := make(chan struct{})
	mux.HandleFunc("/stuck", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "begin")
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	if secure {
		srv = httptest.NewTLSServer(mux)
	} else {
		srv = httptest.NewServer(mux)
	}
	t.Cleanup(func() { close(release); srv.Close() })
	return srv, asked
}

func execute(t *testing.T, w host.Writer, check bool, args m) (modules.Result, error) {
	t.Helper()
	if errs := Module().CheckArgs(args, nil); errs != nil {
		t.Fatal(errs)
	}
	temp := t.TempDir()
	a, err := Module().Build(modules.Env{TempDir: temp, Environ: []string{"HOME=/root"}}, args)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "get_url", a, w, modules.Mode{Check: check})
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return res, err
}

func TestConformance(t *testing.T) {
	srv, _ := site(t, false)
	old := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddUser("app", 700, 700)
		h.AddFile("/opt/tool", "version 1\n", 0o600)
		if err := h.Chtimes("/opt/tool", time.Time{}, time.Now().Add(-24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
	same := modulestest.NewTestHost(func(h *modulestest.Host) { h.AddFile("/opt/tool", body, 0o644) })
	sum := "sha256:" + bodySHA256
	cases := map[string]modulestest.Case{
		"newer":           {Host: old, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool", "owner": "app"}, Diff: true, Values: m{"mode": "0600", "owner": "app", "size": len(body), "status_code": 200}},
		"into directory":  {Host: old, Args: m{"url": srv.URL + "/tool?x=1", "dest": "/opt", "mode": "0755"}, Values: m{"dest": "/opt/tool", "mode": "0755"}},
		"not newer":       {Host: same, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool"}, Unchanged: true, Values: m{"status_code": 304}},
		"same content":    {Host: same, Args: m{"url": srv.URL + "/always", "dest": "/opt/tool"}, Unchanged: true, Values: m{"status_code": 200}},
		"forced, same":    {Host: same, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool", "force": true}, Unchanged: true, Values: m{"status_code": 200}},
		"by checksum":     {Host: old, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool", "checksum": sum}},
		"checksum holds":  {Host: same, Args: m{"url": "http://127.0.0.1:1/none", "dest": "/opt/tool", "checksum": sum}, Unchanged: true, Values: m{"msg": "file already exists"}},
		"checksum file":   {Host: old, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool", "checksum": "sha256:" + srv.URL + "/sums"}},
		"mode only":       {Host: same, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool", "mode": "0700"}, Values: m{"mode": "0700"}},
		"other checksum":  {Host: old, Args: m{"url": srv.URL + "/tool", "dest": "/opt/tool", "checksum": "sha1:" + strings.Repeat("0", 40)}, WantErr: "not the expected 0000"},
		"cut off":         {Host: old, Args: m{"url": srv.URL + "/cut", "dest": "/opt/tool"}, WantErr: "unexpected EOF"},
		"no directory":    {Host: old, Args: m{"url": srv.URL + "/tool", "dest": "/opt/none/tool"}, WantErr: "/opt/none does not exist"},
		"no directory /":  {Host: old, Args: m{"url": srv.URL + "/tool", "dest": "/opt/none/"}, WantErr: "/opt/none/ does not exist"},
		"not in the list": {Host: old, Args: m{"url": srv.URL + "/always", "dest": "/opt/tool", "checksum": "sha256:" + srv.URL + "/sums"}, WantErr: "no checksum for always"},
		"real files": {Dir: func(t *testing.T, dir string) {
			if err := os.WriteFile(dir+"/tool", []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, Args: m{"url": srv.URL + "/always", "dest": "$DIR/tool"}, Values: m{"dest": "$DIR/tool"}},
	}
	for name, c := range cases {
		c.Module = Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestNewFile(t *testing.T) {
	srv, asked := site(t, false)
	h := modulestest.NewHost(t)
	args := m{"url": srv.URL + "/tool", "dest": "/opt/tool", "mode": "0755", "checksum": "sha256:" + bodySHA256}
	s := host.NewShadow(h)
	predicted, err := execute(t, s, true, args)
	if err != nil || !predicted.Changed || asked.Load() != 0 {
		t.Fatalf("%+v %v, %d requests", predicted, err, asked.Load())
	}
	if _, err := s.Stat("/opt/tool"); func() bool { _, ok := host.IsUnknown(err); return !ok }() {
		t.Fatalf("what the download holds is not known: %v", err)
	}
	res, err := execute(t, h, false, args)
	if err != nil || !res.Changed || len(res.Changes) != len(predicted.Changes) || res.Values["status_code"] != 200 || res.Values["mode"] != "0755" {
		t.Fatalf("%+v %v", res, err)
	}
	if b, _ := host.ReadFile(h, "/opt/tool"); string(b) != body {
		t.Fatalf("%q", b)
	}
	if res, err := execute(t, h, false, args); err != nil || res.Changed || asked.Load() != 1 {
		t.Fatalf("%+v %v, %d requests", res, err, asked.Load())
	}
}

func TestFails(t *testing.T) {
	srv, _ := site(t, false)
	h := modulestest.NewHost(t)
	h.AddFile("/opt/f", "old", 0o644)
	for name, c := range map[string]struct {
		args m
		says string
	}{
		"not found":   {m{"url": srv.URL + "/none", "dest": "/opt/f"}, "404"},
		"not allowed": {m{"url": srv.URL + "/private", "dest": "/opt/f", "url_username": "me", "url_password": "wrong-one"}, "401"},
		"stuck":       {m{"url": srv.URL + "/stuck", "dest": "/opt/f", "timeout": 1}, "nothing came from the server for 1s"},
		"nobody":      {m{"url": "http://me:pass-word@127.0.0.1:1/x", "dest": "/opt/f"}, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := execute(t, h, false, c.args)
			var f *modules.Failure
			if !errors.As(err, &f) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error()+fmt.Sprint(f.Values), "pass-word") || strings.Contains(err.Error(), "wrong-one") {
				t.Fatalf("%v %v", err, f)
			}
			if b, _ := host.ReadFile(h, "/opt/f"); string(b) != "old" {
				t.Fatalf("%q", b)
			}
			if name == "stuck" {
				return
			}
			res, err := execute(t, host.NewShadow(h), true, c.args)
			if err != nil || !strings.Contains(res.Unknown, c.says) {
				t.Fatalf("a dry run says maybe, an earlier task may bring the server up: %+v %v", res, err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	srv, _ := site(t, false)
	res, err := execute(t, modulestest.NewHost(t), false, m{"url": srv.URL + "/private", "dest": "/opt/f", "username": "me", "password": "s3cret", "headers": m{"X-Token": 7}})
	if err != nil || !res.Changed || strings.Contains(fmt.Sprint(res), "s3cret") {
		t.Fatalf("%+v %v", res, err)
	}
}

func TestCertificates(t *testing.T) {
	srv, _ := site(t, true)
	srv.Config.ErrorLog = nil
	h := modulestest.NewHost(t)
	args := m{"url": srv.URL + "/tool", "dest": "/opt/f"}
	if _, err := execute(t, h, false, args); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("a certificate nobody vouches for: %v", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	args["ca_path"] = ca
	if res, err := execute(t, h, false, args); err != nil || !res.Changed {
		t.Fatalf("%+v %v", res, err)
	}
	if _, err := execute(t, h, false, m{"url": srv.URL + "/tool", "dest": "/opt/g", "validate_certs": false}); err != nil {
		t.Fatal(err)
	}
}

func TestProxy(t *testing.T) {
	var via atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		via.Add(1)
		fmt.Fprint(w, body)
	}))
	defer proxy.Close()
	for _, use := range []bool{true, false} {
		a, err := Module().Build(modules.Env{TempDir: t.TempDir(), Environ: []string{"http_proxy=" + proxy.URL}},
			m{"url": "http://test.invalid/tool", "dest": "/opt/f", "use_proxy": use, "timeout": 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = modules.Execute(t.Context(), "get_url", a, modulestest.NewHost(t), modules.Mode{}); (err == nil) != use {
			t.Fatalf("use_proxy %v: %v", use, err)
		}
	}
	if via.Load() != 1 {
		t.Fatalf("%d requests through the proxy", via.Load())
	}
}

func TestChecksum(t *testing.T) {
	h := strings.Repeat("ab", 32)
	for _, list := range []string{h + "  tool\n", h + " *./x/tool", "SHA256 (tool) = " + h + "\n", h + "\n", "x  other\n" + strings.ToUpper(h) + "  tool\n"} {
		c, err := parseChecksum("sha256:https://example.com/SUMS")
		if err != nil {
			t.Fatal(err)
		}
		if c, err = c.lookup(list, "tool"); err != nil || c.hex != h || c.url != "" {
			t.Errorf("%q: %+v %v", list, c, err)
		}
	}
	for _, list := range []string{"", h + "  other\n", "xyz  tool\n", h + "\n" + h + "\n"} {
		c, _ := parseChecksum("sha256:https://example.com/SUMS")
		if c, err := c.lookup(list, "tool"); err == nil {
			t.Errorf("%q: %+v", list, c)
		}
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]m{
		"url must begin with http:// or https://": {"url": "ftp://x/y", "dest": "/f"},
		"checksum must be ALGORITHM:HEX":          {"url": "http://x/y", "dest": "/f", "checksum": "abc"},
		"has 64 hexadecimal digits":               {"url": "http://x/y", "dest": "/f", "checksum": "sha256:abc"},
		"client_key needs client_cert":            {"url": "http://x/y", "dest": "/f", "client_key": "/k"},
		"timeout must be at least":                {"url": "http://x/y", "dest": "/f", "timeout": 0},
		"url cannot be read":                      {"url": "http://u:se\x7fcret@x/y", "dest": "/f"},
	} {
		if errs := Module().CheckArgs(args, nil); !strings.Contains(errs.Error(), says) || strings.Contains(errs.Error(), "cret@") {
			t.Errorf("%v: %v, want %q", args, errs, says)
		}
	}
	for url, want := range map[string]string{"http://x/a/b.tgz?q=1": "b.tgz", "http://x": "index.html", "http://x/a%2Fb": "b"} {
		if got := (&args{URL: url}).name(); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
