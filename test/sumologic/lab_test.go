package sumologic_test

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
	"github.com/foobar-play/foobar-play/test/sumologic"
)

func TestMain(m *testing.M) { os.Exit(play.Main(m)) }

// site is a lab with an endpoint that its hosts reach, and an inventory with
// the endpoint's secrets.
type site struct {
	*lab.Lab
	*sumologic.Endpoint
	inventory     string
	playbook      string
	program       string // the collector
	secret, token string
}

func newSite(t *testing.T, cfg lab.Config) *site {
	t.Helper()
	lab.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	program, err := sumologic.Collector(ctx, "../otelcol")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Lab: lab.ForTest(t, cfg), inventory: t.TempDir(), playbook: "testdata/play.yml", program: program,
		secret: "source" + rand.Text(), token: "token" + rand.Text()}
	files := t.TempDir() // what the endpoint serves for downloads
	if err := os.Symlink(program, filepath.Join(files, "otelcol")); err != nil {
		t.Fatal(err)
	}
	if s.Endpoint, err = sumologic.Listen(s.Gateway(), s.secret, s.token, files); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Down() })
	hosts, err := s.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(hosts)
	if err != nil {
		t.Fatal(err)
	}
	play.Write(t, s.inventory, "hosts.yml", string(text))
	play.Write(t, s.inventory, "group_vars/all/secrets.yml", "sumologic_http_source_url: "+s.Source()+"\nsumologic_installation_token: "+s.token+"\n")
	play.Write(t, s.inventory, "group_vars/all/main.yml", "sumologic_binary_src: "+program+"\nsumologic_api_base_url: "+s.Address()+"\n")
	// What a password may look like, for the database that does not identify
	// the collector by its socket.
	play.Write(t, s.inventory, "host_vars/web01.yml", "database_user: watcher\ndatabase_password: 'p$a\"s$$s{#1}`'\n")
	for group, category := range map[string]string{"lb": "foobar/lab/lb", "web": "foobar/lab/web"} {
		play.Write(t, s.inventory, "group_vars/"+group+".yml", "sumologic_source_category: "+category+"\n")
	}
	return s
}

// command prepares a run of a playbook.
func (s *site) command(ctx context.Context, t *testing.T, playbook string, args ...string) *exec.Cmd {
	t.Helper()
	full := append([]string{"-i", s.inventory, "--known-hosts", s.KnownHosts(), "--ssh-config", "none", "--roles-path", "../../roles", playbook}, args...)
	cmd := exec.CommandContext(ctx, play.Program(t), full...)
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=", "NO_COLOR=1")
	return cmd
}

// text runs a playbook with output for people, and fails the test when a
// secret is in it.
func (s *site) text(t *testing.T, playbook string, args ...string) play.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r := play.Wait(t, s.command(ctx, t, playbook, args...))
	for _, secret := range []string{s.secret, s.token} {
		if strings.Contains(r.Stdout+r.Stderr, secret) {
			t.Errorf("%s %v prints a secret", playbook, args)
		}
	}
	return r
}

// run runs the site's playbook with output for programs.
func (s *site) run(t *testing.T, args ...string) play.Result {
	t.Helper()
	return s.text(t, s.playbook, append([]string{"--output", "jsonl", "-vvv", "--diff"}, args...)...)
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
func changed(t *testing.T, r play.Result, host string) string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && l.Host == host && l.Status == "changed" && l.Item == nil {
			out = append(out, l.Task)
		}
	}
	return strings.Join(out, ",")
}

// samples returns the metrics received.
func (s *site) samples(t *testing.T) []sumologic.Sample {
	t.Helper()
	all, err := sumologic.Samples(s.Posts())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wait waits until a condition holds.
func (s *site) wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 90 seconds; refused: %v", what, s.Refused())
		}
		time.Sleep(100 * time.Millisecond)
	}
}
