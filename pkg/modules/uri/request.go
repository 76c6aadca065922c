package uri

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// answer is what came back.
type answer struct {
	status  int
	msg     string
	url     string
	header  http.Header
	cookies []*http.Cookie
	body    []byte
	elapsed time.Duration
}

// bodyLimit is the most of an answer that is kept.
const bodyLimit = 64 << 20

// request makes the request. No answer is one with status -1; an error means
// that the request could not even be made up.
func (a *action) request(ctx context.Context, r host.Reader) (answer, error) {
	start := time.Now()
	body, contentType, err := a.body(ctx, r)
	if err != nil {
		return answer{}, err
	}
	client, err := a.client(r)
	if err != nil {
		return answer{}, err
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := time.Duration(a.Timeout) * time.Second
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("timed out after %s", limit)) })
	defer timer.Stop()
	req, err := http.NewRequestWithContext(ctx, a.Method, a.URL, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	a.setHeaders(req, contentType)
	res, err := a.do(client, req)
	if err != nil {
		return a.none(ctx, err, start), nil
	}
	defer res.Body.Close()
	timer.Reset(limit)
	ans := answer{status: res.StatusCode, url: res.Request.URL.Redacted(), header: res.Header, cookies: res.Cookies()}
	ans.body, err = io.ReadAll(io.LimitReader(res.Body, bodyLimit+1))
	ans.elapsed = time.Since(start)
	switch {
	case err != nil:
		return a.none(ctx, fmt.Errorf("read the answer: %w", err), start), nil
	case len(ans.body) > bodyLimit:
		return answer{}, fmt.Errorf("the answer is larger than %d bytes: use get_url", bodyLimit)
	case res.StatusCode >= 400:
		ans.msg = fmt.Sprintf("HTTP Error %s", strings.Replace(res.Status, " ", ": ", 1))
	default:
		_, words, _ := strings.Cut(res.Status, " ")
		ans.msg = fmt.Sprintf("%s (%d bytes)", words, len(ans.body))
	}
	return ans, nil
}

// none is the answer when there was none.
func (a *action) none(ctx context.Context, err error, start time.Time) answer {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return answer{status: -1, url: a.shown(), msg: fmt.Sprintf("Request failed: %v", err), elapsed: time.Since(start)}
}

func (a *action) setHeaders(req *http.Request, contentType string) {
	req.Header.Set("User-Agent", a.HTTPAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if a.Force {
		req.Header.Set("Cache-Control", "no-cache")
	}
	for k, v := range a.Headers {
		req.Header.Set(k, value.Text(v))
		if strings.EqualFold(k, "Host") {
			req.Host = value.Text(v)
		}
	}
	if a.UserName != "" && a.ForceBasicAuth {
		req.SetBasicAuth(a.UserName, a.Password)
	}
}

// do sends the request, once more with the password when the server asks.
func (a *action) do(client *http.Client, req *http.Request) (*http.Response, error) {
	res, err := client.Do(req)
	if err != nil || res.StatusCode != http.StatusUnauthorized || a.UserName == "" || a.ForceBasicAuth {
		return res, err
	}
	res.Body.Close()
	again := req.Clone(req.Context())
	if again.Body, err = req.GetBody(); err != nil {
		return nil, err
	}
	again.SetBasicAuth(a.UserName, a.Password)
	return client.Do(again)
}

func (a *action) client(r host.Reader) (*http.Client, error) {
	tlsConfig, err := a.tls(r)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{TLSClientConfig: tlsConfig, DisableCompression: !a.Decompress, ForceAttemptHTTP2: true}
	if a.UseProxy {
		t.Proxy = http.ProxyFromEnvironment
	}
	if a.UnixSocket != "" {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", a.UnixSocket)
		}
	}
	return &http.Client{Transport: t, CheckRedirect: a.redirect}, nil
}

// redirect decides about following.
func (a *action) redirect(req *http.Request, via []*http.Request) error {
	first := via[0].Method
	switch {
	case len(via) >= 10:
		return errors.New("stopped after 10 redirects")
	case a.FollowRedirects == "all" || a.FollowRedirects == "yes":
		return nil
	case a.FollowRedirects == "none" || a.FollowRedirects == "no":
		return http.ErrUseLastResponse
	case first == http.MethodGet || first == http.MethodHead:
		return nil
	}
	return http.ErrUseLastResponse
}

func (a *action) tls(r host.Reader) (*tls.Config, error) {
	c := &tls.Config{InsecureSkipVerify: !a.ValidateCerts}
	if a.CAPath != "" {
		b, err := host.ReadFile(r, a.CAPath)
		if err != nil {
			return nil, fmt.Errorf("read ca_path: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("ca_path: there is no certificate in %s", a.CAPath)
		}
	}
	if a.ClientCert == "" {
		return c, nil
	}
	cert, err := host.ReadFile(r, a.ClientCert)
	if err != nil {
		return nil, fmt.Errorf("read client_cert: %w", err)
	}
	key := cert
	if a.ClientKey != "" {
		if key, err = host.ReadFile(r, a.ClientKey); err != nil {
			return nil, fmt.Errorf("read client_key: %w", err)
		}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("client_cert: %w", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// text is the body as a value.
func (ans answer) text() string { return strings.ToValidUTF8(string(ans.body), "\uFFFD") }

// values are the return values of an answer.
func (ans answer) values(asked string) map[string]any {
	v := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(ans.header)) {
		v[strings.ReplaceAll(strings.ToLower(name), "-", "_")] = strings.Join(ans.header[name], ", ")
	}
	v["status"], v["url"], v["msg"], v["elapsed"] = ans.status, ans.url, ans.msg, int(ans.elapsed.Seconds())
	v["redirected"] = ans.status > 0 && ans.url != asked
	cookies, parts := map[string]any{}, []string{}
	for _, c := range ans.cookies {
		cookies[c.Name] = c.Value
		parts = append(parts, c.Name+"="+c.Value)
	}
	v["cookies"], v["cookies_string"] = cookies, strings.Join(parts, "; ")
	if parsed, ok := ans.json(); ok {
		v["json"] = parsed
	}
	return v
}

// json is the body's value when its type says JSON and it is.
func (ans answer) json() (any, bool) {
	t, _, _ := mime.ParseMediaType(ans.header.Get("Content-Type"))
	if t != "application/json" && t != "text/json" && !strings.HasSuffix(t, "+json") {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(ans.body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, false
	}
	return value.Normalize(v), true
}
