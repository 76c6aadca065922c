// Package sumologic has what the lab needs to try the role sumologic_collector
// without Sumo Logic: the collector, built once (test/otelcol), and an endpoint
// that takes what collectors send, as Sumo Logic's HTTP source and collector
// API do, and remembers it.
//
// The endpoint speaks what the exporter of the OpenTelemetry collector sends:
// metrics in the dotted Prometheus format, logs as JSON lines, and the
// registration and heartbeats of the token mode. Metrics in OTLP are counted,
// not read. It says nothing about what Sumo Logic itself would do with them.
package sumologic

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Post is one request with data that the endpoint accepted.
type Post struct {
	Path, ContentType       string
	Category, Host, Name    string // X-Sumo-Category and so on
	Fields, Client          string
	Authorization, Encoding string
	Body                    string // unpacked
}

// Registration is what a collector says of itself when it registers.
type Registration struct {
	Token         string         `json:"-"` // of the Authorization header
	CollectorName string         `json:"collectorName"`
	Hostname      string         `json:"hostname"`
	Category      string         `json:"category"`
	Fields        map[string]any `json:"fields"`
	Ephemeral     bool           `json:"ephemeral"`
	Clobber       bool           `json:"clobber"`
}

// Endpoint is a running endpoint. All methods may be used by several
// goroutines.
type Endpoint struct {
	secret, token string
	files         string

	mu            sync.Mutex
	addr          string
	server        *http.Server
	posts         []Post
	refused       []string
	registrations []Registration
	heartbeats    int
}

// The credentials that the endpoint hands out to a collector that registers.
const credentialID, credentialKey = "id-0815", "key-4711"

// Listen starts an endpoint at an IP address, on a free port. It takes data at
// the path of the secret, and registrations with the token; everything else is
// refused and remembered. Files below the folder files are served at /files/.
func Listen(ip, secret, token, files string) (*Endpoint, error) {
	e := &Endpoint{secret: secret, token: token, files: files, addr: net.JoinHostPort(ip, "0")}
	return e, e.Up()
}

// Up starts to listen, at the address of before when it listened already.
func (e *Endpoint) Up() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := net.Listen("tcp", e.addr)
	if err != nil {
		return fmt.Errorf("listen for collectors: %w", err)
	}
	e.addr = l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /receiver/v1/http/{code}", e.data)
	mux.HandleFunc("POST /api/v1/collector/register", e.register)
	mux.HandleFunc("POST /api/v1/collector/heartbeat", e.heartbeat)
	mux.HandleFunc("POST /api/v1/collector/{kind}", e.data)
	mux.Handle("GET /files/", http.StripPrefix("/files/", http.FileServerFS(os.DirFS(e.files))))
	mux.HandleFunc("/", e.refuse)
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func(s *http.Server) {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			e.note("serve: " + err.Error())
		}
	}(e.server)
	return nil
}

// Down cuts all connections and refuses new ones.
func (e *Endpoint) Down() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.server.Close()
}

// Address is the URL of the endpoint, which is also that of its API.
func (e *Endpoint) Address() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return "http://" + e.addr
}

// Source is the URL of the HTTP source, the secret included.
func (e *Endpoint) Source() string { return e.Address() + "/receiver/v1/http/" + e.secret }

// Posts returns what was received since the start or the last Forget.
func (e *Endpoint) Posts() []Post {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.posts)
}

// Forget drops what was received.
func (e *Endpoint) Forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.posts = nil
}

// Refused returns the requests that were not understood or not allowed.
func (e *Endpoint) Refused() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.refused)
}

// Registered returns the collectors that registered, and how many heartbeats
// came.
func (e *Endpoint) Registered() (registrations []Registration, heartbeats int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.registrations), e.heartbeats
}

func (e *Endpoint) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused = append(e.refused, what)
}

func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request) {
	e.note(r.Method + " " + r.URL.Path)
	http.Error(w, "no", http.StatusUnauthorized)
}

// known is whether the request has the credentials of a registration.
func (e *Endpoint) known(r *http.Request) bool {
	id, key, ok := r.BasicAuth()
	return ok && id == credentialID && key == credentialKey
}

func (e *Endpoint) data(w http.ResponseWriter, r *http.Request) {
	code := r.PathValue("code")
	if code != e.secret && (code != "" || !e.known(r)) {
		e.refuse(w, r)
		return
	}
	body, err := unpack(r)
	if err != nil {
		e.note(r.URL.Path + ": " + err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h := r.Header
	e.mu.Lock()
	defer e.mu.Unlock()
	e.posts = append(e.posts, Post{Path: r.URL.Path, ContentType: h.Get("Content-Type"), Category: h.Get("X-Sumo-Category"),
		Host: h.Get("X-Sumo-Host"), Name: h.Get("X-Sumo-Name"), Fields: h.Get("X-Sumo-Fields"), Client: h.Get("X-Sumo-Client"),
		Authorization: h.Get("Authorization"), Encoding: h.Get("Content-Encoding"), Body: body})
}

func unpack(r *http.Request) (string, error) {
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return "", fmt.Errorf("unpack: %w", err)
		}
		in = z
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	return string(body), nil
}

func (e *Endpoint) register(w http.ResponseWriter, r *http.Request) {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || e.token == "" || token != e.token {
		e.refuse(w, r)
		return
	}
	reg := Registration{Token: token}
	if err := json.NewDecoder(r.Body).Decode(&reg); err != nil {
		e.note("register: " + err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.registrations = append(e.registrations, reg)
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"collectorCredentialId":%q,"collectorCredentialKey":%q,"collectorId":"000000000F","collectorName":%q}`,
		credentialID, credentialKey, reg.CollectorName)
}

func (e *Endpoint) heartbeat(w http.ResponseWriter, r *http.Request) {
	if !e.known(r) {
		e.refuse(w, r)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heartbeats++
	w.WriteHeader(http.StatusNoContent)
}
