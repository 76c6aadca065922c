package ufw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// ufw's files. Where they are is fixed in Debian's and Ubuntu's packages.
const (
	confFile     = "/etc/ufw/ufw.conf"
	defaultsFile = "/etc/default/ufw"
	rulesFile    = "/etc/ufw/user.rules"
	rules6File   = "/etc/ufw/user6.rules"
	packageRules = "/usr/share/ufw/iptables"
	profilesDir  = "/etc/ufw/applications.d"
	servicesFile = "/etc/services"
)

// firewall is the state ufw's files describe, and whether its chains are
// loaded.
type firewall struct {
	enabled, running bool
	ipv6             bool
	logging          string
	policies         policies
	rules, rules6    []rule
	altered          []string // rule files that are not the package's, read for reset only
	names            names
}

// policies are the default actions by direction.
type policies struct{ incoming, outgoing, routed string }

var directions = []string{"incoming", "outgoing", "routed"}

func (p *policies) field(direction string) *string {
	switch direction {
	case "outgoing":
		return &p.outgoing
	case "routed":
		return &p.routed
	}
	return &p.incoming
}

func (p policies) of(direction string) string { return *p.field(direction) }

func (p policies) with(direction, policy string) policies {
	*p.field(direction) = policy
	return p
}

// chains maps a direction to the word in /etc/default/ufw, targets a policy to
// its value there.
var (
	chains  = map[string]string{"incoming": "INPUT", "outgoing": "OUTPUT", "routed": "FORWARD"}
	targets = map[string]string{"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}
)

func (o *options) policyDirection() string { return or(o.Direction, "incoming") }

// read gives the state; a host without ufw is an error.
func read(ctx context.Context, h host.Reader) (firewall, error) {
	var fw firewall
	conf, err := readSettings(h, confFile)
	if err != nil {
		return fw, err
	}
	defaults, err := readSettings(h, defaultsFile)
	if err != nil {
		return fw, err
	}
	fw.enabled = conf["ENABLED"] == "yes"
	fw.logging = or(strings.ToLower(conf["LOGLEVEL"]), "low")
	fw.ipv6 = strings.EqualFold(defaults["IPV6"], "yes")
	for _, d := range directions {
		value := defaults["DEFAULT_"+chains[d]+"_POLICY"]
		for policy, target := range targets {
			if strings.EqualFold(value, target) {
				fw.policies = fw.policies.with(d, policy)
			}
		}
	}
	if fw.rules, err = readRules(h, rulesFile, false); err != nil {
		return fw, err
	}
	if fw.ipv6 {
		if fw.rules6, err = readRules(h, rules6File, true); err != nil {
			return fw, err
		}
	}
	fw.running, err = running(ctx, h, fw)
	return fw, err
}

func readFile(h host.Reader, name string) ([]byte, error) {
	content, err := host.ReadFile(h, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("ufw is not installed here (there is no %s): install the package ufw first", name)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("read ufw's state: %w (it takes root: set become: true)", err)
	case err != nil:
		return nil, fmt.Errorf("read ufw's state: %w", err)
	}
	return content, nil
}

// readSettings reads KEY=value lines; quotes are taken off, the last one of a
// key counts.
func readSettings(h host.Reader, name string) (map[string]string, error) {
	content, err := readFile(h, name)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(content)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			out[key] = strings.Trim(value, `"'`)
		}
	}
	return out, nil
}

func readRules(h host.Reader, name string, v6 bool) ([]rule, error) {
	content, err := readFile(h, name)
	if err != nil {
		return nil, err
	}
	return parseRules(content, v6), nil
}

// parseRules gives the rules of a file in their order.
func parseRules(content []byte, v6 bool) []rule {
	var out []rule
	for line := range strings.Lines(string(content)) {
		if r, ok := parseTuple(strings.TrimRight(line, "\r\n"), v6); ok {
			out = append(out, r)
		}
	}
	return out
}

// running tells whether ufw's rules are loaded; the file only says what holds
// at boot. The chains alone prove nothing: they stay empty when ufw could not
// load its rules.
func running(ctx context.Context, h host.Reader, fw firewall) (bool, error) {
	if v, ok := h.Noted("ufw", "running"); ok {
		on, _ := v.(bool)
		return on, nil
	}
	if !fw.enabled {
		return false, nil
	}
	for _, c := range chainsLoaded {
		if strings.HasPrefix(c.program, "ip6") && !fw.ipv6 {
			continue
		}
		file, err := readFile(h, c.file)
		if err != nil {
			return false, err
		}
		if !holdsRules(file, c.chain) {
			continue
		}
		out, err := h.Query(ctx, host.Command{Argv: []string{c.program, "-w", "-S", c.chain}})
		if err != nil {
			return false, fmt.Errorf("look whether the firewall is loaded: %w", err)
		}
		if out.RC != 0 || !holdsRules(out.Stdout, c.chain) {
			return false, nil
		}
	}
	return true, nil
}

// holdsRules reports whether a listing has rules of the chain, but for the one
// that ufw adds in any case.
func holdsRules(listing []byte, chain string) bool {
	for line := range strings.Lines(string(listing)) {
		if strings.HasPrefix(line, "-A "+chain+" ") && !strings.HasSuffix(strings.TrimSpace(line), "-user-input") {
			return true
		}
	}
	return false
}

// chainsLoaded are chains that hold rules when ufw has loaded their file.
var chainsLoaded = []struct{ program, chain, file string }{
	{"iptables", "ufw-before-input", "/etc/ufw/before.rules"},
	{"iptables", "ufw-after-input", "/etc/ufw/after.rules"},
	{"ip6tables", "ufw6-before-input", "/etc/ufw/before6.rules"},
	{"ip6tables", "ufw6-after-input", "/etc/ufw/after6.rules"},
}

// alteredFiles lists the rule files that reset would bring back.
func alteredFiles(h host.Reader) ([]string, error) {
	var out []string
	for _, name := range resetFiles {
		now, err := readFile(h, path.Join("/etc/ufw", name))
		if err != nil {
			return nil, err
		}
		fresh, err := readFile(h, path.Join(packageRules, name))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(now, fresh) {
			out = append(out, path.Join("/etc/ufw", name))
		}
	}
	return out, nil
}

var resetFiles = []string{"after.rules", "after6.rules", "before.rules", "before6.rules", "user.rules", "user6.rules"}
