package authorizedkey

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// key is a line of authorized_keys.
type key struct {
	id      string // type and key, in base64
	options string
	comment string
}

func (k key) line() string {
	line := k.id
	if k.options != "" {
		line = k.options + " " + line
	}
	if k.comment != "" {
		line += " " + k.comment
	}
	return line
}

// parseLine reads one line; ok is false when it is no key.
func parseLine(line string) (k key, ok bool) {
	if t := strings.TrimSpace(line); t == "" || t[0] == '#' {
		return key{}, false
	}
	pub, comment, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return key{}, false
	}
	id := pub.Type() + " " + base64.StdEncoding.EncodeToString(pub.Marshal())
	return key{id: id, options: strings.Join(options, ","), comment: comment}, true
}

// parseKeys reads the keys of a task.
func parseKeys(text string) ([]key, error) {
	var out []key
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, ok := parseLine(line)
		if !ok {
			if len(line) > 60 {
				line = line[:60] + "…"
			}
			return nil, fmt.Errorf("invalid key specified: %q is no line of authorized_keys (TYPE KEY COMMENT)", line)
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, errors.New("invalid key specified: there is no key in it")
	}
	return out, nil
}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// fetch gets a text of keys, at most a megabyte, within half a minute.
func fetch(ctx context.Context, address string, verify bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("get the keys: %w", err)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{InsecureSkipVerify: !verify}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", fmt.Errorf("get the keys: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get the keys from %s: the server answered %s", address, res.Status)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return string(b), err
}
