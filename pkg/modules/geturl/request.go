package geturl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// client makes an HTTP client of its own for one task.
func (a *args) client(env modules.Env) (*http.Client, error) {
	trust, err := a.trust()
	if err != nil {
		return nil, err
	}
	patience := time.Duration(a.Timeout) * time.Second
	t := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: patience}).DialContext,
		TLSClientConfig:       trust,
		TLSHandshakeTimeout:   patience,
		ResponseHeaderTimeout: patience,
		DisableCompression:    !a.Decompress,
		DisableKeepAlives:     true,
		ForceAttemptHTTP2:     true,
	}
	if a.UseProxy {
		proxy := proxies(env).ProxyFunc()
		t.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
	}
	return &http.Client{Transport: t}, nil
}

// proxies reads the task's environment.
func proxies(env modules.Env) *httpproxy.Config {
	get := func(names ...string) string {
		for _, n := range names {
			if v, ok := env.LookupEnv(n); ok && v != "" {
				return v
			}
		}
		return ""
	}
	return &httpproxy.Config{
		HTTPProxy: get("http_proxy", "HTTP_PROXY"), HTTPSProxy: get("https_proxy", "HTTPS_PROXY"), NoProxy: get("no_proxy", "NO_PROXY"),
	}
}

func (a *args) trust() (*tls.Config, error) {
	c := &tls.Config{InsecureSkipVerify: !a.ValidateCerts, MinVersion: tls.VersionTLS12}
	if a.CAPath != "" {
		pem, err := os.ReadFile(a.CAPath)
		if err != nil {
			return nil, fmt.Errorf("read ca_path: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_path %s holds no certificate in PEM", a.CAPath)
		}
		c.RootCAs = pool
	}
	if a.ClientCert != "" {
		key := a.ClientKey
		if key == "" {
			key = a.ClientCert
		}
		pair, err := tls.LoadX509KeyPair(a.ClientCert, key)
		if err != nil {
			return nil, fmt.Errorf("read client_cert: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// answer is a response whose body is still to be read.
type answer struct {
	*http.Response
	cancel context.CancelFunc
	timer  *time.Timer
	wait   time.Duration
}

// get asks for a URL. since, when not zero, makes it conditional. Any status
// but 200 and 304 is a *modules.Failure.
func (a *args) get(ctx context.Context, env modules.Env, from string, since time.Time) (*answer, error) {
	client, err := a.client(env)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		cancel()
		return nil, errors.New("the url cannot be read")
	}
	a.dress(req, since)
	resp, err := client.Do(req) //nolint:bodyclose // answer.end closes it
	if err != nil {
		cancel()
		return nil, unreachable{a.failure(0, err.Error())}
	}
	wait := time.Duration(a.Timeout) * time.Second
	ans := &answer{Response: resp, cancel: cancel, wait: wait, timer: time.AfterFunc(wait, cancel)}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotModified {
		ans.end()
		return nil, unreachable{a.failure(resp.StatusCode, fmt.Sprintf("the server answered %s", resp.Status))}
	}
	return ans, nil
}

func (a *args) dress(req *http.Request, since time.Time) {
	req.Header.Set("User-Agent", a.Agent)
	if !since.IsZero() {
		req.Header.Set("If-Modified-Since", since.UTC().Format(http.TimeFormat))
	} else if a.Force {
		req.Header.Set("Cache-Control", "no-cache")
	}
	for k, v := range a.Headers {
		req.Header.Set(k, value.Text(v))
		if http.CanonicalHeaderKey(k) == "Host" {
			req.Host = value.Text(v)
		}
	}
	if a.Username != "" || a.Password != "" {
		req.SetBasicAuth(a.Username, a.Password)
	}
}

// Read gives up when nothing comes for the timeout.
func (n *answer) Read(p []byte) (int, error) {
	k, err := n.Body.Read(p)
	if !n.timer.Reset(n.wait) && err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("nothing came from the server for %s: %w", n.wait, err)
	}
	return k, err
}

// end ends the request.
func (n *answer) end() {
	n.timer.Stop()
	n.cancel()
	_ = n.Body.Close()
}

func (a *args) failure(status int, why string) error {
	v := map[string]any{"url": a.shownURL(), "dest": a.Dest}
	if status != 0 {
		v["status_code"] = status
	}
	return &modules.Failure{Msg: fmt.Sprintf("download %s: %s", a.shownURL(), why), Values: v}
}

// unreachable is a failure of the server. In a dry run it also says that the
// answer is not known: an earlier task may be what brings the server up.
type unreachable struct{ error }

// Unwrap gives both readings.
func (u unreachable) Unwrap() []error {
	return []error{u.error, &host.UnknownError{Reason: u.Error()}}
}
