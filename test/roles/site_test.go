// Package roles_test tests the roles and playbooks/site.yml on lab servers, as
// a person would: by the program's exit code and recap, and by looking at the
// servers from outside.
package roles_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

func TestMain(m *testing.M) { os.Exit(play.Main(m)) }

// root is the project's folder, seen from the tests'.
const root = "../.."

// site is a lab with an inventory: the lab's hosts, the settings of
// inventory/production.
type site struct {
	*lab.Lab
	t         *testing.T
	inventory string
}

func newSite(t *testing.T, cfg lab.Config) *site {
	t.Helper()
	s := &site{Lab: lab.ForTest(t, cfg), t: t, inventory: t.TempDir()}
	hosts, err := s.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(hosts)
	if err != nil {
		t.Fatal(err)
	}
	play.Write(t, s.inventory, "hosts.yml", string(text))
	settings := os.DirFS(filepath.Join(root, "inventory/production"))
	err = fs.WalkDir(settings, "group_vars", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yml" {
			return err
		}
		content, err := fs.ReadFile(settings, name)
		play.Write(t, s.inventory, name, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs site.yml.
func (s *site) run(t *testing.T, args ...string) play.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	full := append([]string{"-i", s.inventory, "--known-hosts", s.KnownHosts(), "--ssh-config", "none",
		"--output", "jsonl", "playbooks/site.yml"}, args...)
	cmd := exec.CommandContext(ctx, play.Program(t), full...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=")
	return play.Wait(t, cmd)
}

// on runs a shell script as root on a host and returns what it printed.
func (s *site) on(t *testing.T, host, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := s.Host(host).Exec(ctx, "sh", "-c", script)
	if err != nil {
		t.Fatalf("%s: %s: %v", host, script, err)
	}
	return out
}

// quiet fails the test unless nothing changed and nothing is in doubt.
func quiet(t *testing.T, r play.Result) {
	t.Helper()
	for host, stats := range r.Must(t, 0).Recap(t) {
		if stats.Changed+stats.Maybe+stats.Failed+stats.Unreachable != 0 || stats.OK == 0 {
			t.Errorf("%s: %+v\n%s", host, stats, touched(t, r))
		}
	}
}

// touched lists what was not plainly ok.
func touched(t *testing.T, r play.Result) string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && (l.Status == "changed" || l.Status == "maybe" || l.Status == "failed") {
			out = append(out, l.Status+" "+l.Host+": "+l.Task+" "+l.Msg+l.Reason)
		}
	}
	return strings.Join(out, "\n")
}

// changed lists the tasks that changed a host, without items.
func changed(t *testing.T, r play.Result, host string) []string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && l.Host == host && l.Status == "changed" && l.Item == nil {
			out = append(out, l.Task)
		}
	}
	return out
}

// TestSite converges three bare servers, and looks at them from outside.
func TestSite(t *testing.T) {
	s := newSite(t, lab.Config{})
	session := s.openSession(t, "web01")
	t.Run("dry run on bare servers", func(t *testing.T) {
		r := s.run(t, "--check")
		for host, stats := range r.Must(t, 0).Recap(t) {
			if stats.Changed == 0 || stats.Failed+stats.Unreachable != 0 {
				t.Errorf("%s: %+v", host, stats)
			}
		}
		for _, h := range s.Hosts() {
			s.on(t, h.Name, "test ! -e /etc/ufw/ufw.conf && test ! -e /etc/nginx && test ! -e /usr/sbin/nginx && test ! -e /etc/haproxy")
		}
		if _, err := os.Stat(filepath.Join(s.inventory, ".ca")); err == nil {
			t.Error("the dry run made a CA")
		}
	})
	if t.Failed() {
		return
	}
	s.run(t).Must(t, 0)
	t.Run("the ssh session from before survives", session.check)
	t.Run("a second run changes nothing", func(t *testing.T) { quiet(t, s.run(t)) })
	t.Run("a dry run predicts no change", func(t *testing.T) { quiet(t, s.run(t, "--check")) })
	t.Run("https", s.https)
	t.Run("redirect", s.redirect)
	t.Run("ports", s.ports)
	t.Run("keys", s.keys)
	t.Run("drift", s.drift)
	t.Run("a broken site leaves nginx alone", s.brokenSite)
	t.Run("contradicting rules", s.contradiction)
	t.Run("purge", s.purge)
	t.Run("firewall after a reboot", s.reboot)
}

// drift breaks one thing on each of two hosts, and expects exactly these
// repaired.
func (s *site) drift(t *testing.T) {
	s.on(t, "web01", "ufw delete allow proto tcp from "+s.Host("lb01").Addr+" to any port 80,443")
	s.on(t, "web02", "echo '# a stranger' >>/etc/nginx/nginx.conf")
	want := map[string]string{"lb01": "", "web01": "rules", "web02": "nginx.conf,reload nginx"}
	for _, args := range [][]string{{"--check"}, nil} {
		r := s.run(t, args...).Must(t, 0)
		for host, tasks := range want {
			if got := strings.Join(changed(t, r, host), ","); got != tasks {
				t.Errorf("%v %s: changed %q, want %q", args, host, got, tasks)
			}
		}
	}
	quiet(t, s.run(t))
}

// tree describes every file of nginx's configuration, times included.
const tree = `cd /etc/nginx && find . -printf '%p %y %m %u %g %T@ %l\n' | sort; find . -type f -exec sha256sum {} + | sort; systemctl show nginx -p MainPID -p ExecReload`

func (s *site) brokenSite(t *testing.T) {
	broken := play.Write(t, t.TempDir(), "broken.yml", `
nginx_ssl_sites:
  - name: www.foobar.com
    server_names: [www.foobar.com, foobar.com, more.foobar.com]
    extra: nonsense on;
`)
	before := s.on(t, "web01", tree)
	r := s.run(t, "--limit", "web01", "-e", "@"+broken).Must(t, 2)
	if after := s.on(t, "web01", tree); after != before {
		t.Errorf("the configuration was\n%s\nand is\n%s", before, after)
	}
	if said := touched(t, r); !strings.Contains(said, `everything is as it was before`) || !strings.Contains(said, `unknown directive "nonsense"`) {
		t.Errorf("the failure does not say what nginx said:\n%s", said)
	}
	s.on(t, "web01", "test ! -e /var/lib/foobar-play/nginx_ssl && test ! -e /etc/nginx.refused")
	s.https(t)
	s.run(t).Must(t, 0)
	quiet(t, s.run(t))
}

func (s *site) contradiction(t *testing.T) {
	rules := s.on(t, "lb01", "cat /etc/ufw/user.rules")
	r := s.run(t, "--limit", "lb01", "-e", `{"ufw_rules": [{"port": 8080, "proto": "tcp"}, {"port": "8080", "proto": "tcp", "rule": "limit"}]}`).Must(t, 2)
	if said := touched(t, r); !strings.Contains(said, `contradicts: allow`) {
		t.Errorf("got %s", said)
	}
	if s.on(t, "lb01", "cat /etc/ufw/user.rules") != rules {
		t.Error("rules were changed nevertheless")
	}
}

func (s *site) purge(t *testing.T) {
	rules := s.on(t, "lb01", "ufw show added")
	s.on(t, "lb01", "ufw allow 9999; ufw route allow in on host0 out on eth1; ufw deny from 2001:db8::/32")
	r := s.run(t, "--limit", "lb01", "-e", "ufw_purge=true").Must(t, 0)
	if got := strings.Join(changed(t, r, "lb01"), ","); got != "no other rules" {
		t.Errorf("changed %q", got)
	}
	if now := s.on(t, "lb01", "ufw show added"); now != rules {
		t.Errorf("the rules were\n%s\nand are\n%s", rules, now)
	}
	quiet(t, s.run(t, "--limit", "lb01", "-e", "ufw_purge=true"))
}

func (s *site) reboot(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	h := s.Host("web01")
	if err := h.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
	s.on(t, "web01", "systemctl is-system-running --wait")
	if status := s.on(t, "web01", "ufw status"); !strings.Contains(status, "Status: active") {
		t.Errorf("after a reboot: %s", status)
	}
	s.https(t)
	quiet(t, s.run(t))
}
