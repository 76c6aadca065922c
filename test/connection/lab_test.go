// Package connection_test proves connections and agents on real servers.
package connection_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/test/lab"
)

// bench is a lab host and what is needed to reach it.
type bench struct {
	host     *lab.Host
	lab      *lab.Lab
	binaries *agent.Binaries
	store    *agent.BlobStore
}

func TestLab(t *testing.T) {
	lab.Require(t)
	program := filepath.Join(t.TempDir(), "testagent")
	build := exec.Command("go", "build", "-o", program, "github.com/foobar-play/foobar-play/pkg/agent/internal/testagent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test agent: %v\n%s", err, out)
	}
	l := lab.ForTest(t, lab.Config{Hosts: []string{"web01"}})
	b := &bench{host: l.Host("web01"), lab: l, binaries: agent.NewBinaries(agent.Binary(program)), store: agent.NewBlobStore()}
	defer b.binaries.Close()
	defer b.store.Close()
	t.Run("Become", b.testBecome)
	t.Run("PasswordStaysSecret", b.testSecret)
	t.Run("Places", b.testPlaces)
	t.Run("LostConnection", b.testLost)
	t.Run("HostKeys", b.testHostKeys)
}

func (b *bench) target(user string) connection.Target {
	return connection.Target{Name: "web01", Host: b.host.Addr, User: user, KeyFiles: []string{b.lab.KeyFile()}, IdentitiesOnly: true}
}

func (b *bench) options() connection.Options {
	return connection.Options{KnownHosts: []string{b.lab.KnownHosts()}, SSHConfig: "none"}
}

func (b *bench) dial(t *testing.T, target connection.Target) connection.Connection {
	t.Helper()
	c, err := connection.Dial(t.Context(), target, b.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (b *bench) start(t *testing.T, conn connection.Connection, become agent.Become) (*agent.Client, error) {
	t.Helper()
	c, err := agent.Start(t.Context(), conn, agent.Options{Binaries: b.binaries, Store: b.store, Become: become})
	if err == nil {
		t.Cleanup(func() { c.Close(context.Background()) })
	}
	return c, err
}

// exec runs a shell command as root on the host, beside the connection.
func (b *bench) exec(t *testing.T, script string) string {
	t.Helper()
	out, err := b.host.Exec(t.Context(), "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func sh(t *testing.T, c *agent.Client, cmd string) string {
	t.Helper()
	res, err := c.Do(t.Context(), agent.Request{Module: "sh", Args: map[string]any{"cmd": cmd}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(res.Values["stdout"].(string))
}

func (b *bench) testBecome(t *testing.T) {
	for _, tc := range []struct {
		name   string
		user   string
		become agent.Become
		uid    string   // whom the agent runs as
		refuse []string // or what the error mentions
	}{
		{"none", lab.User, agent.Become{}, "1000", nil},
		{"sudo", lab.User, agent.Become{Method: "sudo"}, "0", nil},
		{"sudo to a user", lab.User, agent.Become{Method: "sudo", User: lab.PlainUser}, "1002", nil},
		{"sudo, password not needed", lab.User, agent.Become{Method: "sudo", Password: "unused"}, "0", nil},
		{"sudo, with password", lab.PasswordUser, agent.Become{Method: "sudo", Password: lab.Password}, "0", nil},
		{"sudo, without password", lab.PasswordUser, agent.Become{Method: "sudo"}, "", []string{"password is required", "-K", "ansible_become_password"}},
		{"sudo, wrong password", lab.PasswordUser, agent.Become{Method: "sudo", Password: "guess"}, "", []string{"password is wrong"}},
		{"sudo, not allowed", lab.PlainUser, agent.Become{Method: "sudo"}, "", []string{"root", "sudo"}},
		{"sudo to nobody there", lab.User, agent.Become{Method: "sudo", User: "ghost"}, "", []string{"ghost"}},
		{"sudo is missing", lab.User, agent.Become{Method: "sudo", Exe: "/opt/sudo"}, "", []string{"/opt/sudo"}},
		{"su", lab.User, agent.Become{Method: "su", Password: lab.RootPassword}, "0", nil},
		{"su to a user", lab.PlainUser, agent.Become{Method: "su", User: lab.PasswordUser, Password: lab.Password}, "1001", nil},
		{"su as root", "root", agent.Become{Method: "su", User: lab.PlainUser}, "1002", nil},
		{"su, wrong password", lab.User, agent.Become{Method: "su", Password: "guess"}, "", []string{"refused", "su: "}},
		{"su, without password", lab.User, agent.Become{Method: "su"}, "", []string{"-K", "ansible_become_password"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := b.start(t, b.dial(t, b.target(tc.user)), tc.become)
			if tc.refuse == nil {
				if err != nil {
					t.Fatal(err)
				}
				if got := sh(t, c, "id -u"); got != tc.uid || fmt.Sprint(c.Info().UID) != tc.uid {
					t.Errorf("uid %s, info %+v", got, c.Info())
				}
				if owner := b.exec(t, "stat -c '%u %a' "+filepath.Dir(c.Info().TempDir)); owner != tc.uid+" 700" {
					t.Errorf("the agent's directory is %s's", owner)
				}
				return
			}
			var e *agent.BecomeError
			if !errors.As(err, &e) {
				t.Fatalf("got %v (%T)", err, err)
			}
			for _, w := range append(tc.refuse, "web01") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not mention %q: %v", w, err)
				}
			}
		})
	}
}

// testSecret looks for the password where others on the host can see it.
func (b *bench) testSecret(t *testing.T) {
	for _, become := range []agent.Become{
		{Method: "sudo", Password: lab.Password},
		{Method: "su", Password: lab.RootPassword},
	} {
		c, err := b.start(t, b.dial(t, b.target(lab.PasswordUser)), become)
		if err != nil {
			t.Fatal(err)
		}
		sh(t, c, "true")
		if found := b.exec(t, "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep '[l]ab-only' || true"); found != "" {
			t.Errorf("%s: the password is visible: %q", become.Method, found)
		}
	}
}

// testPlaces: where the agent's program goes when its first place does not do.
func (b *bench) testPlaces(t *testing.T) {
	const home = "/home/" + lab.PlainUser
	fallback := "/var/tmp/foobar-play-1002"
	for _, tc := range []struct {
		name, prepare, undo string
		place               string
		refuse              []string
	}{
		{"home", "", "", home + "/.cache/foobar-play", nil},
		{"home is not writable", "chown root:root " + home, "chown plain:plain " + home, fallback, nil},
		{"home is mounted noexec", "mkdir -p " + home + "/.cache; mount -t tmpfs -o noexec,mode=1777 none " + home + "/.cache", "umount " + home + "/.cache", fallback, nil},
		{"disk is full", "mkdir -p " + home + "/.cache; mount -t tmpfs -o size=1m,mode=1777 none " + home + "/.cache", "umount " + home + "/.cache", "", []string{"No space left", home}},
		{"nowhere", "chown root:root " + home + "; mkdir -p " + fallback, "chown plain:plain " + home, "", []string{home, fallback, "0700"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.exec(t, "rm -rf "+home+"/.cache "+fallback+"; "+tc.prepare)
			defer b.exec(t, "true; "+tc.undo)
			conn := b.dial(t, b.target(lab.PlainUser))
			c, err := b.start(t, conn, agent.Become{})
			if tc.refuse == nil {
				if err != nil {
					t.Fatal(err)
				}
				if got := filepath.Dir(c.Info().TempDir); got != tc.place {
					t.Errorf("it is in %s", got)
				}
				conn.Close() // before a file system goes
				b.ends(t, c)
				return
			}
			var e *connection.Error
			if !errors.As(err, &e) || e.Kind != connection.NoAgent {
				t.Fatalf("got %v (%T)", err, err)
			}
			for _, w := range tc.refuse {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not mention %q: %v", w, err)
				}
			}
			if left := b.exec(t, "find "+home+"/.cache "+fallback+" -type f 2>/dev/null || true"); left != "" {
				t.Errorf("left: %s", left)
			}
		})
	}
}

// ends waits until an agent has left the host.
func (b *bench) ends(t *testing.T, c *agent.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if out, _ := b.host.Exec(ctx, "sh", "-c", fmt.Sprintf("kill -0 %d 2>/dev/null && echo alive || true", c.Info().PID)); strings.TrimSpace(out) == "" {
			return
		}
		if ctx.Err() != nil {
			t.Fatal("the agent still runs")
		}
	}
}

// testLost: a connection that is cut leaves no process, whoever runs it and
// however stubborn it is.
func (b *bench) testLost(t *testing.T) {
	for name, tc := range map[string]struct {
		user   string
		become agent.Become
	}{
		"direct":        {lab.User, agent.Become{}},
		"sudo":          {lab.User, agent.Become{Method: "sudo"}},
		"sudo password": {lab.PasswordUser, agent.Become{Method: "sudo", Password: lab.Password}},
		"su":            {lab.User, agent.Become{Method: "su", Password: lab.RootPassword}},
	} {
		t.Run(name, func(t *testing.T) {
			relay, err := b.host.Relay(0)
			if err != nil {
				t.Fatal(err)
			}
			defer relay.Close()
			target := b.target(tc.user)
			target.Host, target.Port = "127.0.0.1", relay.Port()
			c, err := b.start(t, b.dial(t, target), tc.become)
			if err != nil {
				t.Fatal(err)
			}
			running, failed := make(chan struct{}), make(chan error, 1)
			go func() {
				_, err := c.Do(t.Context(), agent.Request{Module: "sh", Args: map[string]any{
					"cmd": `trap "" TERM HUP; echo; while :; do sleep 1077; done`}},
					func(string, []byte) { close(running) })
				failed <- err
			}()
			<-running
			relay.Drop()
			var e *connection.Error
			if err := <-failed; !errors.As(err, &e) || e.Kind != connection.Lost {
				t.Errorf("pending: %v", err)
			}
			b.ends(t, c)
			if left := b.exec(t, "pgrep -a -f 'sleep [1]077|__foobar-play-[a]gent' || true"); left != "" {
				t.Errorf("left on the host:\n%s", left)
			}
			if left := b.exec(t, "ls -d "+c.Info().TempDir+" 2>/dev/null || true"); left != "" {
				t.Errorf("left on the host: %s", left)
			}
		})
	}
}

func (b *bench) testHostKeys(t *testing.T) {
	known := filepath.Join(t.TempDir(), "known_hosts")
	o := connection.Options{KnownHosts: []string{known}, SSHConfig: "none"}
	_, err := connection.Dial(t.Context(), b.target(lab.User), o)
	var e *connection.Error
	if !errors.As(err, &e) || e.Kind != connection.HostKeyUnknown {
		t.Fatalf("got %v", err)
	}
	fingerprints := b.exec(t, "for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f | cut -d' ' -f2; done")
	matches := false
	for f := range strings.FieldsSeq(fingerprints) {
		matches = matches || strings.Contains(err.Error(), f)
	}
	if !matches {
		t.Errorf("the error shows none of the host's fingerprints %s: %v", fingerprints, err)
	}
	o.HostKey = connection.AcceptNew
	c, err := connection.Dial(t.Context(), b.target(lab.User), o)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	// OpenSSH reads what we wrote.
	out, err := exec.Command("ssh-keygen", "-F", b.host.Addr, "-f", known).CombinedOutput()
	if err != nil && !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("ssh-keygen does not find the host in what was written: %v %s", err, out)
	}
}
