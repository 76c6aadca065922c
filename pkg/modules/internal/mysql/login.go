package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Login are the options with which all modules for MySQL and MariaDB log in;
// embed it in the options of a module.
type Login struct {
	User           string         `arg:"login_user" doc:"The account to log in with; left out: config_file's, else the account the task runs as (root comes in over the socket without a password)."`
	Password       string         `arg:"login_password,secret" doc:"Its password; left out: config_file's, else none."`
	Host           string         `arg:"login_host" default:"localhost" doc:"Where the server is; localhost means the socket unless login_port is given."`
	Port           int            `arg:"login_port" doc:"The TCP port; left out: 3306 when login_host is not localhost."`
	UnixSocket     string         `arg:"login_unix_socket" doc:"The socket; left out: config_file's, else the usual places."`
	ConfigFile     string         `arg:"config_file" default:"~/.my.cnf" doc:"A client's option file of the host; user, password, host, port, socket and ssl-* of its section client count where no option is given."`
	ConnectTimeout int            `arg:"connect_timeout" default:"30" doc:"Seconds until the server must have answered."`
	CACert         string         `arg:"ca_cert,alias=ssl_ca" doc:"File of the host with the CA's certificate: TCP connections use TLS and the server is verified."`
	ClientCert     string         `arg:"client_cert,alias=ssl_cert" doc:"File of the host with the certificate to show."`
	ClientKey      string         `arg:"client_key,alias=ssl_key" doc:"File of the host with its key."`
	CheckHostname  bool           `arg:"check_hostname" default:"true" doc:"With ca_cert: the certificate must be for login_host too."`
	SessionVars    map[string]any `arg:"session_vars" doc:"Variables set in the session first."`
}

// Endpoint is where and how to connect.
type Endpoint struct {
	Network, Address string // "unix" and a path, or "tcp" and host:port
	User, Password   string
	TLS              *tls.Config // nil: none
	Timeout          time.Duration
	Database         string
	// Prepare sends arguments apart from the statement, so that the server
	// finds the places for them and gives typed values. It does not take
	// every statement so.
	Prepare bool
}

// endpoint fills in from the option file what the options leave open.
func (l *Login) endpoint(r host.Reader) (Endpoint, error) {
	file, err := l.readConfig(r)
	if err != nil {
		return Endpoint{}, err
	}
	pick := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	at := Endpoint{
		User: pick(l.User, file["user"], runningUser()), Password: l.Password,
		Timeout: time.Duration(l.ConnectTimeout) * time.Second,
	}
	if l.User == "" || l.User == file["user"] {
		at.Password = pick(l.Password, file["password"])
	}
	name, port := l.Host, l.Port
	if name == "localhost" {
		name = pick(file["host"], name)
	}
	if n, err := strconv.Atoi(file["port"]); err == nil && port == 0 && name != "localhost" {
		port = n
	}
	if name == "localhost" && port == 0 || l.UnixSocket != "" {
		at.Network, at.Address = "unix", pick(l.UnixSocket, file["socket"])
		if at.Address == "" {
			at.Address, err = findSocket(r)
		}
		return at, err
	}
	if port == 0 {
		port = 3306
	}
	at.Network, at.Address = "tcp", net.JoinHostPort(name, strconv.Itoa(port))
	at.TLS, err = l.tls(r, name, pick(l.CACert, file["ssl-ca"]), pick(l.ClientCert, file["ssl-cert"]), pick(l.ClientKey, file["ssl-key"]))
	return at, err
}

// tls makes the settings of an encrypted connection; nil when no file asks for
// one.
func (l *Login) tls(r host.Reader, name, ca, cert, key string) (*tls.Config, error) {
	if ca == "" && cert == "" {
		return nil, nil
	}
	cfg := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	if ca == "" {
		cfg.InsecureSkipVerify = true
	} else {
		pem, err := host.ReadFile(r, ca)
		if err != nil {
			return nil, fmt.Errorf("read ca_cert: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read ca_cert: %s holds no certificate", ca)
		}
		if !l.CheckHostname {
			verifyChainOnly(cfg)
		}
	}
	if cert == "" {
		return cfg, nil
	}
	certPEM, err := host.ReadFile(r, cert)
	if err != nil {
		return nil, fmt.Errorf("read client_cert: %w", err)
	}
	keyPEM, err := host.ReadFile(r, key)
	if err != nil {
		return nil, fmt.Errorf("read client_key: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("use client_cert and client_key: %w", err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// verifyChainOnly verifies the server's certificate, for whatever name it is.
func verifyChainOnly(cfg *tls.Config) {
	cfg.InsecureSkipVerify = true // of the name only, see VerifyConnection
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: cfg.RootCAs, Intermediates: x509.NewCertPool()}
		for _, c := range state.PeerCertificates[1:] {
			opts.Intermediates.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(opts)
		return err
	}
}

// readConfig reads the section client of the option file; one that is not
// there is empty, unless it was asked for by name.
func (l *Login) readConfig(r host.Reader) (map[string]string, error) {
	name, optional := l.ConfigFile, false
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, nil
		}
		name, optional = path.Join(home, rest), true
	}
	if name == "" {
		return nil, nil
	}
	text, err := host.ReadFile(r, name)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read config_file: %w", err)
	}
	return parseOptionFile(string(text), "client"), nil
}

// parseOptionFile reads one section of a MySQL option file. Names get dashes
// for underscores; quotes around values go, escapes are resolved.
func parseOptionFile(text, section string) map[string]string {
	out := map[string]string{}
	in := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#;!"):
		case line[0] == '[':
			in = strings.Trim(line, "[] ") == section
		case in:
			name, v, _ := strings.Cut(line, "=")
			out[strings.ReplaceAll(strings.TrimSpace(name), "_", "-")] = optionValue(strings.TrimSpace(v))
		}
	}
	return out
}

var optionEscapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\b`, "\b", `\s`, " ")

func optionValue(v string) string {
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		v = v[1 : len(v)-1]
	}
	return optionEscapes.Replace(v)
}

// runningUser is the name the server sees when none is given.
func runningUser() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}
