package connection

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// maxJumps bounds the length of a chain of jump hosts, loops included.
const maxJumps = 8

// systemSSHConfig is read after the user's own file.
const systemSSHConfig = "/etc/ssh/ssh_config"

// defaultKeys are tried when no key is named, as ssh does.
var defaultKeys = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}

// hop is one server on the way to the host, with every question settled.
type hop struct {
	alias          string // what it is called in ~/.ssh/config
	host           string
	port           int
	user           string
	password       string
	keys           []keyFile
	identitiesOnly bool
	agentSocket    string // "" for none
	passphrase     func(file string) (string, error)
	knownHosts     []string
	knownAs        string // HostKeyAlias, else host
}

// keyFile is a private key to offer. An optional one may be missing.
type keyFile struct {
	path     string
	optional bool
}

func (h *hop) addr() string { return net.JoinHostPort(h.host, strconv.Itoa(h.port)) }

// keyAddr is the address under which known_hosts lists the host.
func (h *hop) keyAddr() string {
	return net.JoinHostPort(h.knownAs, strconv.Itoa(h.port))
}

// sshConfig is what the ssh_config files say; the first value found counts.
type sshConfig struct{ files []*ssh_config.Config }

func loadSSHConfig(path string) (*sshConfig, error) {
	c := &sshConfig{}
	switch path {
	case "none":
		return c, nil
	case "":
		for _, p := range []string{"~/.ssh/config", systemSSHConfig} {
			if err := c.read(p, true); err != nil {
				return nil, err
			}
		}
		return c, nil
	}
	return c, c.read(path, false)
}

func (c *sshConfig) read(path string, optional bool) error {
	path = expandHome(path)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && optional {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the ssh configuration: %w", err)
	}
	parsed, err := ssh_config.DecodeBytes(text)
	if err != nil {
		return fmt.Errorf("read the ssh configuration %s: %w; use --ssh-config none to do without it", path, err)
	}
	c.files = append(c.files, parsed)
	return nil
}

func (c *sshConfig) get(alias, key string) string {
	for _, f := range c.files {
		if v, err := f.Get(alias, key); err == nil && v != "" {
			return v
		}
	}
	return ""
}

func (c *sshConfig) all(alias, key string) []string {
	var out []string
	for _, f := range c.files {
		if v, err := f.GetAll(alias, key); err == nil {
			out = append(out, v...)
		}
	}
	return out
}

func (c *sshConfig) yes(alias, key string) bool { return strings.EqualFold(c.get(alias, key), "yes") }

// alias is the name under which ~/.ssh/config knows the target.
func (t Target) alias() string { return firstOf(t.Host, t.Name) }

// route settles the way to t: jump hosts first, the host itself last.
func route(t Target, o Options) ([]*hop, error) {
	cfg, err := loadSSHConfig(o.SSHConfig)
	if err != nil {
		return nil, err
	}
	last, err := settle(t, o, cfg)
	if err != nil {
		return nil, err
	}
	hops := []*hop{last}
	jump := firstOf(t.ProxyJump, cfg.get(t.alias(), "ProxyJump"))
	if jump == "" && !isNone(cfg.get(t.alias(), "ProxyCommand")) {
		return nil, fmt.Errorf("the ssh configuration reaches %s by a ProxyCommand, which is not supported: use ProxyJump, or --ssh-config none", t.Name)
	}
	for !isNone(jump) {
		list := strings.Split(jump, ",")
		var chain []*hop
		for _, spec := range list {
			h, err := jumpHop(spec, o, cfg)
			if err != nil {
				return nil, err
			}
			chain = append(chain, h)
		}
		hops = append(chain, hops...)
		if len(hops) > maxJumps {
			return nil, fmt.Errorf("the way to %s has more than %d jump hosts: is there a loop of ProxyJump in the ssh configuration?", t.Name, maxJumps)
		}
		// The first jump host may itself be reached by another one.
		jump = cfg.get(chain[0].alias, "ProxyJump")
	}
	return hops, nil
}

func isNone(s string) bool { return s == "" || strings.EqualFold(s, "none") }

// jumpHop reads "[ssh://][user@]host[:port]".
func jumpHop(spec string, o Options, cfg *sshConfig) (*hop, error) {
	text := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(spec), "ssh://"), "/")
	t := Target{}
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		t.User, text = text[:i], text[i+1:]
	}
	t.Name = text
	if h, p, err := net.SplitHostPort(text); err == nil {
		if t.Port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("jump host %q: %q is no port", spec, p)
		}
		t.Name = h
	}
	t.Name = strings.Trim(t.Name, "[]")
	if t.Name == "" {
		return nil, fmt.Errorf("jump host %q: it names no host; write [user@]host[:port]", spec)
	}
	return settle(t, o, cfg)
}

// settle answers every question about one server: what the caller says wins
// over the ssh configuration, which wins over ssh's defaults.
func settle(t Target, o Options, cfg *sshConfig) (*hop, error) {
	alias := t.alias()
	me, err := user.Current()
	if err != nil {
		return nil, fmt.Errorf("find out who we are: %w", err)
	}
	h := &hop{
		alias:      alias,
		user:       firstOf(t.User, cfg.get(alias, "User"), me.Username),
		password:   t.Password,
		passphrase: t.KeyPassphrase,
		port:       t.Port,
	}
	if h.port == 0 {
		port := firstOf(cfg.get(alias, "Port"), "22")
		if h.port, err = strconv.Atoi(port); err != nil || h.port < 1 || h.port > 65535 {
			return nil, fmt.Errorf("the ssh configuration for %s: %q is no port", alias, port)
		}
	}
	if h.port < 1 || h.port > 65535 {
		return nil, fmt.Errorf("%d is no port", h.port)
	}
	h.host = firstOf(strings.NewReplacer("%h", alias, "%n", alias, "%%", "%").Replace(cfg.get(alias, "HostName")), alias)
	h.knownAs = firstOf(cfg.get(alias, "HostKeyAlias"), h.host)
	tokens := strings.NewReplacer("%h", h.host, "%n", alias, "%r", h.user, "%p", strconv.Itoa(h.port),
		"%u", me.Username, "%d", me.HomeDir, "%%", "%")
	h.identities(t, o, cfg, tokens)
	h.knownHosts = knownHostsFiles(alias, o, cfg, tokens)
	return h, nil
}

// identities lists the keys to offer and where the ssh-agent is.
func (h *hop) identities(t Target, o Options, cfg *sshConfig, tokens *strings.Replacer) {
	alias := h.alias
	for _, p := range t.KeyFiles {
		h.keys = append(h.keys, keyFile{path: expandHome(p)})
	}
	for _, p := range cfg.all(alias, "IdentityFile") {
		if !isNone(p) {
			// ssh, too, goes on without an IdentityFile that is not there.
			h.keys = append(h.keys, keyFile{path: expandHome(tokens.Replace(p)), optional: true})
		}
	}
	h.identitiesOnly = t.IdentitiesOnly || cfg.yes(alias, "IdentitiesOnly")
	if len(h.keys) == 0 {
		for _, p := range defaultKeys {
			h.keys = append(h.keys, keyFile{path: expandHome(p), optional: true})
		}
	}
	if !o.UseAgent {
		return
	}
	switch socket := cfg.get(alias, "IdentityAgent"); {
	case socket == "" || socket == "SSH_AUTH_SOCK":
		h.agentSocket = os.Getenv("SSH_AUTH_SOCK")
	case strings.HasPrefix(socket, "$"):
		h.agentSocket = os.Getenv(strings.Trim(socket, "${}"))
	case !isNone(socket):
		h.agentSocket = expandHome(tokens.Replace(socket))
	}
}

func knownHostsFiles(alias string, o Options, cfg *sshConfig, tokens *strings.Replacer) []string {
	if len(o.KnownHosts) > 0 {
		var out []string
		for _, f := range o.KnownHosts {
			out = append(out, expandHome(f))
		}
		return out
	}
	var out []string
	for _, key := range []struct{ name, fallback string }{
		{"UserKnownHostsFile", "~/.ssh/known_hosts"},
		{"GlobalKnownHostsFile", "/etc/ssh/ssh_known_hosts"},
	} {
		for f := range strings.FieldsSeq(firstOf(cfg.get(alias, key.name), key.fallback)) {
			if !isNone(f) {
				out = append(out, expandHome(tokens.Replace(f)))
			}
		}
	}
	return out
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// expandHome resolves a leading "~/".
func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, rest)
}
