package ufw_test

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/ufw"
)

const emptyRules = "*filter\n### RULES ###\n\n### END RULES ###\nCOMMIT\n"

// firewall is a host with ufw as the package leaves it; effects are files and
// what ufw makes of them when a command line begins so.
func firewall(effects map[string]map[string]string) func(t *testing.T) *modulestest.Host {
	return modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddFile("/etc/ufw/ufw.conf", "ENABLED=no\nLOGLEVEL=low\n", 0o644)
		h.AddFile("/etc/default/ufw", "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\nDEFAULT_FORWARD_POLICY=\"DROP\"\n", 0o644)
		h.AddFile("/etc/ufw/user.rules", emptyRules, 0o640)
		h.AddFile("/etc/ufw/user6.rules", emptyRules, 0o640)
		unloaded(h)
		for line, files := range effects {
			h.AddCommand(strings.Fields(line), host.Output{}, func(h *modulestest.Host) {
				for name, content := range files {
					h.AddFile(name, content, 0o640)
				}
				if strings.Contains(line, "enable") || strings.Contains(line, "reload") {
					loaded(h)
				}
			})
		}
	})
}

// chains are those ufw fills from its files.
var chains = []struct{ program, chain, file string }{
	{"iptables", "ufw-before-input", "before.rules"}, {"iptables", "ufw-after-input", "after.rules"},
	{"ip6tables", "ufw6-before-input", "before6.rules"}, {"ip6tables", "ufw6-after-input", "after6.rules"},
}

// unloaded leaves the chains there, and empty.
func unloaded(h *modulestest.Host) { list(h, "") }

func loaded(h *modulestest.Host) { list(h, "-A %s -i lo -j ACCEPT\n") }

func list(h *modulestest.Host, content string) {
	for _, c := range chains {
		h.AddFile("/etc/ufw/"+c.file, "-A "+c.chain+" -i lo -j ACCEPT\n", 0o640)
		text := "-N " + c.chain + "\n" + strings.ReplaceAll(content, "%s", c.chain)
		h.AddCommand([]string{c.program, "-w", "-S", c.chain}, host.Output{Stdout: []byte(text)}, nil)
	}
}

func rules(tuples ...string) string {
	return strings.Replace(emptyRules, "\n\n", "\n\n### tuple ### "+strings.Join(tuples, "\n\n### tuple ### ")+"\n\n", 1)
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]modulestest.Case{
		"rule": {
			Args: map[string]any{"rule": "limit", "port": 22, "proto": "tcp"},
			Host: firewall(map[string]map[string]string{
				"ufw limit in proto tcp from any to any port 22": {
					"/etc/ufw/user.rules": rules("limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"), "/etc/ufw/user6.rules": rules("limit tcp 22 ::/0 any ::/0 in")},
			}),
			Values: map[string]any{"commands": []any{"ufw limit in proto tcp from any to any port 22"}},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				write(t, w, "/etc/ufw/user6.rules", emptyRules)
			},
		},
		"enable": {
			Args:   map[string]any{"state": "enabled"},
			Host:   firewall(map[string]map[string]string{"ufw --force enable": {"/etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n"}}),
			Values: map[string]any{"commands": []any{"ufw --force enable"}},
		},
		"enabled, but not loaded": {
			Args: map[string]any{"state": "enabled"},
			Host: func(t *testing.T) *modulestest.Host {
				h := firewall(map[string]map[string]string{"ufw reload": {}})(t)
				h.AddFile("/etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=low\n", 0o644)
				return h
			},
			Values: map[string]any{"commands": []any{"ufw reload"}},
		},
		"policy as it is": {
			Args:      map[string]any{"default": "deny", "direction": "incoming"},
			Host:      firewall(nil),
			Unchanged: true,
			Values:    map[string]any{"commands": []any{}},
		},
		"deleting what is not there": {
			Args:      map[string]any{"rule": "allow", "port": 80, "delete": true},
			Host:      firewall(nil),
			Unchanged: true,
		},
		"no ufw": {
			Args:    map[string]any{"state": "enabled"},
			Host:    modulestest.NewTestHost(nil),
			WantErr: "install the package ufw",
		},
		"unknown profile": {
			Args: map[string]any{"rule": "allow", "name": "Ngnix"},
			Host: func(t *testing.T) *modulestest.Host {
				h := firewall(nil)(t)
				h.AddFile("/etc/ufw/applications.d/nginx", "[Nginx]\nports=80/tcp\n", 0o644)
				return h
			},
			WantErr: `no application profile "Ngnix"`,
		},
	} {
		c.Module = ufw.Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func write(t *testing.T, w host.Writer, name, content string) {
	t.Helper()
	if err := w.WriteFile(name, strings.NewReader(content), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
}
