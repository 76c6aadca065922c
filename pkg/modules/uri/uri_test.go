package uri

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/text", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		_, _ = w.Write([]byte("hello"))
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "type": r.Header.Get("Content-Type"), "body": string(b),
			"x": r.Header.Get("X-Test"), "n": 7, "agent": r.UserAgent()})
	})
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		f, h, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b, _ := io.ReadAll(f)
		_, _ = w.Write([]byte(h.Filename + "=" + string(b) + " a=" + r.FormValue("a")))
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/text", http.StatusFound) })
	mux.HandleFunc("/secret", func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != "me" || p != "pw" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte("in"))
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusNotFound) })
	return mux
}

func run(t *testing.T, h host.Writer, args map[string]any) (modules.Result, error) {
	t.Helper()
	a, err := Module().Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	return modules.Execute(t.Context(), "uri", a, h, modules.Mode{})
}

func TestAnswers(t *testing.T) {
	srv := httptest.NewServer(handler())
	defer srv.Close()
	h := modulestest.NewHost(t)
	h.AddFile("/srv/up.txt", "data", 0o644)
	for name, c := range map[string]struct {
		path string
		args map[string]any
		want map[string]any
	}{
		"get": {"/text", map[string]any{"return_content": true}, map[string]any{"status": 200, "content": "hello", "msg": "OK (5 bytes)",
			"redirected": false, "cookies": map[string]any{"a": "1"}, "cookies_string": "a=1", "content_length": "5"}},
		"head":             {"/text", map[string]any{"method": "head"}, map[string]any{"status": 200}},
		"json":             {"/echo", map[string]any{"method": "POST", "body_format": "json", "body": map[string]any{"k": 1}}, map[string]any{"json.body": `{"k":1}`, "json.type": "application/json", "json.n": 7}},
		"form":             {"/echo", map[string]any{"method": "POST", "body_format": "form-urlencoded", "body": map[string]any{"b": "x y", "a": []any{1, 2}}}, map[string]any{"json.body": "a=1&a=2&b=x+y"}},
		"pairs":            {"/echo", map[string]any{"method": "PUT", "body_format": "form-urlencoded", "body": []any{[]any{"k", "v"}}}, map[string]any{"json.body": "k=v", "json.method": "PUT"}},
		"raw with headers": {"/echo", map[string]any{"method": "POST", "body": "x", "headers": map[string]any{"X-Test": 5, "Content-Type": "text/x"}}, map[string]any{"json.body": "x", "json.x": "5", "json.type": "text/x"}},
		"file of the host": {"/echo", map[string]any{"method": "PUT", "src": "/srv/up.txt", "remote_src": true}, map[string]any{"json.body": "data"}},
		"multipart": {"/form", map[string]any{"method": "POST", "body_format": "form-multipart", "return_content": true,
			"body": map[string]any{"a": 1, "file": map[string]any{"filename": "/srv/up.txt", "mime_type": "text/plain"}}}, map[string]any{"content": "up.txt=data a=1"}},
		"redirect":      {"/moved", nil, map[string]any{"status": 200, "redirected": true, "url": "$URL/text"}},
		"no redirect":   {"/moved", map[string]any{"follow_redirects": "none", "status_code": "302"}, map[string]any{"status": 302, "location": "/text"}},
		"unsafe":        {"/moved", map[string]any{"method": "POST", "status_code": []any{302, 200}}, map[string]any{"status": 302}},
		"password":      {"/secret", map[string]any{"user": "me", "password": "pw", "return_content": true}, map[string]any{"content": "in"}},
		"password sent": {"/secret", map[string]any{"url_username": "me", "url_password": "pw", "force_basic_auth": true}, map[string]any{"status": 200}},
		"wanted 404":    {"/gone", map[string]any{"status_code": []any{200, 404}}, map[string]any{"status": 404}},
	} {
		args := map[string]any{"url": srv.URL + c.path}
		for k, v := range c.args {
			args[k] = v
		}
		res, err := run(t, h, args)
		if err != nil || res.Changed {
			t.Errorf("%s: %v, changed=%v", name, err, res.Changed)
			continue
		}
		for k, want := range c.want {
			var got any = res.Values
			for part := range strings.SplitSeq(k, ".") {
				m, _ := got.(map[string]any)
				got = m[part]
			}
			if s, ok := want.(string); ok {
				want = strings.ReplaceAll(s, "$URL", srv.URL)
			}
			if !value.Equal(got, want) {
				t.Errorf("%s: %s is %#v, want %#v", name, k, got, want)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	srv := httptest.NewServer(handler())
	h := modulestest.NewHost(t)
	_, err := run(t, h, map[string]any{"url": srv.URL + "/gone"})
	var f *modules.Failure
	if !errors.As(err, &f) || f.Msg != "Status code was 404 and not [200]: HTTP Error 404: Not Found" || f.Values["content"] != "not here\n" {
		t.Errorf("%v", err)
	}
	srv.Close()
	_, err = run(t, h, map[string]any{"url": srv.URL})
	if !errors.As(err, &f) || f.Values["status"] != -1 || !strings.Contains(f.Msg, "Request failed") {
		t.Errorf("%v", err)
	}
}

func TestCertificates(t *testing.T) {
	srv := httptest.NewTLSServer(handler())
	defer srv.Close()
	srv.Config.ErrorLog = nil
	h := modulestest.NewHost(t)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	h.AddFile("/etc/ca.pem", string(ca), 0o644)
	if _, err := run(t, h, map[string]any{"url": srv.URL + "/text"}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority is fine: %v", err)
	}
	for _, args := range []map[string]any{{"ca_path": "/etc/ca.pem"}, {"validate_certs": false}} {
		args["url"] = srv.URL + "/text"
		if _, err := run(t, h, args); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := run(t, h, map[string]any{"url": srv.URL, "ca_path": "/etc/passwd"}); err == nil {
		t.Error("ca_path without a certificate is fine")
	}
}

func TestConformance(t *testing.T) {
	srv := httptest.NewServer(handler())
	defer srv.Close()
	h := modulestest.NewTestHost(nil)
	for name, c := range map[string]modulestest.Case{
		"dest": {Args: map[string]any{"url": srv.URL + "/text", "dest": "/srv/f", "mode": "0600"}, Maybe: true, Values: map[string]any{"path": "/srv/f"}},
		"into a directory": {Args: map[string]any{"url": srv.URL + "/text", "dest": "/srv"}, Maybe: true, Values: map[string]any{"path": "/srv/text"},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				if err := w.WriteFile("/srv/text", strings.NewReader("other"), host.Attrs{}); err != nil {
					t.Fatal(err)
				}
			}},
		"creates": {Args: map[string]any{"url": srv.URL + "/text", "creates": "/etc/passwd"}, Unchanged: true},
		"fails":   {Args: map[string]any{"url": srv.URL + "/gone", "dest": "/srv/f"}, Maybe: true, WantErr: "Status code was 404"},
	} {
		c.Module, c.Host = Module(), h
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestOptions(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"no address": {"url": "x"}, "scheme": {"url": "ftp://a/b"}, "two bodies": {"url": "http://a", "body": "x", "src": "y"},
		"code": {"url": "http://a", "status_code": "ok"}, "key": {"url": "http://a", "client_key": "/k"},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
