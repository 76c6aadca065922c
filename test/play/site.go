package play

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
)

// Site is a lab with an inventory of its own: the lab's hosts, and the settings
// of inventory/production.
type Site struct {
	*lab.Lab
	Inventory string // a directory
	root      string
}

// NewSite boots a lab. root is the project's folder, seen from the test's.
func NewSite(t *testing.T, root string, cfg lab.Config) *Site {
	t.Helper()
	s := &Site{Lab: lab.ForTest(t, cfg), Inventory: t.TempDir(), root: root}
	hosts, err := s.Lab.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(hosts)
	if err != nil {
		t.Fatal(err)
	}
	Write(t, s.Inventory, "hosts.yml", string(text))
	settings := os.DirFS(filepath.Join(root, "inventory/production"))
	err = fs.WalkDir(settings, "group_vars", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yml" {
			return err
		}
		content, err := fs.ReadFile(settings, name)
		Write(t, s.Inventory, name, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Run runs the program in the project's folder, with the site's inventory.
func (s *Site) Run(t *testing.T, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	full := append([]string{"-i", s.Inventory, "--known-hosts", s.KnownHosts(), "--ssh-config", "none", "--output", "jsonl"}, args...)
	cmd := exec.CommandContext(ctx, Program(t), full...)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=")
	return Wait(t, cmd)
}

// On runs a shell script as root on a host and returns what it printed.
func (s *Site) On(t testing.TB, host, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := s.Host(host).Exec(ctx, "sh", "-c", script)
	if err != nil {
		t.Fatalf("%s: %s: %v", host, script, err)
	}
	return out
}

// Quiet fails the test unless nothing changed and nothing is in doubt.
func (r Result) Quiet(t testing.TB) {
	t.Helper()
	for host, stats := range r.Must(t, 0).Recap(t) {
		if stats.Changed+stats.Maybe+stats.Failed+stats.Unreachable != 0 || stats.OK == 0 {
			t.Errorf("%s: %+v\n%s", host, stats, r.Touched(t))
		}
	}
}

// Touched lists what was not plainly ok.
func (r Result) Touched(t testing.TB) string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && (l.Status == "changed" || l.Status == "maybe" || l.Status == "failed") {
			out = append(out, l.Status+" "+l.Host+": "+l.Task+" "+l.Msg+l.Reason)
		}
	}
	return strings.Join(out, "\n")
}

// Changed names the tasks that changed a host, joined by commas; items are
// left out.
func (r Result) Changed(t testing.TB, host string) string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && l.Host == host && l.Status == "changed" && l.Item == nil {
			out = append(out, l.Task)
		}
	}
	return strings.Join(out, ",")
}
