package connection_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/foobar-play/foobar-play/pkg/connection"
)

func dial(t *testing.T, target connection.Target, o connection.Options) connection.Connection {
	t.Helper()
	c, err := connection.Dial(t.Context(), target, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// refused dials, expecting an error of the kind that mentions every word.
func refused(t *testing.T, target connection.Target, o connection.Options, kind connection.ErrorKind, words ...string) *connection.Error {
	t.Helper()
	c, err := connection.Dial(t.Context(), target, o)
	if err == nil {
		c.Close()
		t.Fatal("it connected")
	}
	var e *connection.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is no *connection.Error: %v", err, err)
	}
	if e.Kind != kind {
		t.Errorf("kind %q, want %q: %v", e.Kind, kind, err)
	}
	for _, w := range append(words, target.Name) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not mention %q:\n%v", w, err)
		}
	}
	return e
}

func run(t *testing.T, c connection.Connection, command, stdin string) (string, string, error) {
	t.Helper()
	p, err := c.Start(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	go func() {
		io.WriteString(p.Stdin(), stdin)
		p.Stdin().Close()
	}()
	var stderr []byte
	var wg sync.WaitGroup
	wg.Go(func() { stderr, _ = io.ReadAll(p.Stderr()) })
	stdout, err := io.ReadAll(p.Stdout())
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	return string(stdout), string(stderr), p.Wait()
}

func TestProcess(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	s := serve(t, pub)
	for name, c := range map[string]connection.Connection{
		"ssh":   dial(t, s.target(file), s.trusting()),
		"local": dial(t, connection.Target{Name: "localhost", Kind: connection.Local}, connection.Options{}),
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, err := run(t, c, "cat; echo oops >&2; exit 3", "hello")
			if out != "hello" || errs != "oops\n" {
				t.Errorf("stdout %q, stderr %q", out, errs)
			}
			var exit *connection.ExitError
			if !errors.As(err, &exit) || exit.Code != 3 {
				t.Errorf("Wait: %v, want exit code 3", err)
			}
			p, err := c.Start(t.Context(), "echo here; exec sleep 1000")
			if err != nil {
				t.Fatal(err)
			}
			p.Stdout().Read(make([]byte, 5))
			p.Kill()
			if err := p.Wait(); err == nil {
				t.Error("a killed process ended well")
			}
			if err := c.Err(); err != nil {
				t.Errorf("Err of a live connection: %v", err)
			}
		})
	}
}

func TestAuth(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	wrong, _, _ := newKeyFile(t, "")
	locked, lockedPub, _ := newKeyFile(t, "sesame")
	withPassword := func(s *server) { s.password = "secret" }

	t.Run("password after keys", func(t *testing.T) {
		s := serve(t, pub, withPassword)
		target := s.target(wrong)
		target.Password = "secret"
		dial(t, target, s.trusting())
	})
	t.Run("keyboard-interactive", func(t *testing.T) {
		s := serve(t, pub, func(s *server) { s.question = "Passwort:"; withPassword(s) })
		target := s.target("")
		target.Password = "secret"
		dial(t, target, s.trusting())
	})
	t.Run("passphrase is asked when the key is accepted", func(t *testing.T) {
		s := serve(t, lockedPub)
		target := s.target(wrong)
		target.KeyFiles = append(target.KeyFiles, locked)
		var asked []string
		target.KeyPassphrase = func(f string) (string, error) { asked = append(asked, f); return "sesame", nil }
		dial(t, target, s.trusting())
		if len(asked) != 1 || asked[0] != locked {
			t.Errorf("asked for %v", asked)
		}
	})
	t.Run("nothing fits", func(t *testing.T) {
		s := serve(t, pub, withPassword)
		target := s.target(wrong)
		target.KeyFiles = append(target.KeyFiles, locked)
		target.Password = "wrong"
		refused(t, target, s.trusting(), connection.AuthFailed, "deploy", wrong, locked, "encrypted", "password")
	})
	t.Run("named key is missing", func(t *testing.T) {
		s := serve(t, pub)
		refused(t, s.target("/nonexistent/key"), s.trusting(), connection.BadConfig, "/nonexistent/key")
	})
	t.Run("rsa", func(t *testing.T) {
		s := serve(t, pub, func(s *server) { s.hostKeys = []ssh.Signer{newRSAKey(t)} })
		dial(t, s.target(file), s.trusting())
	})
}

// keyring serves an ssh-agent and returns its socket.
func keyring(t *testing.T, keys ...any) {
	ring := agent.NewKeyring()
	for i, k := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: k, Comment: fmt.Sprint("ring", i)}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "ring")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { agent.ServeAgent(ring, c); c.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait(); os.RemoveAll(dir) })
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
}

func TestAgentKeysAfterFiles(t *testing.T) {
	wrong, wrongPub, _ := newKeyFile(t, "")
	_, otherPub, other := newKeyFile(t, "")
	_, pub, held := newKeyFile(t, "")
	keyring(t, &other, &held)
	s := serve(t, pub)
	target, o := s.target(wrong), s.trusting()
	o.UseAgent, target.IdentitiesOnly = true, false
	dial(t, target, o)
	want := []string{ssh.FingerprintSHA256(wrongPub), ssh.FingerprintSHA256(otherPub), ssh.FingerprintSHA256(pub)}
	if fmt.Sprint(s.offered) != fmt.Sprint(want) {
		t.Errorf("offered %v, want %v", s.offered, want)
	}

	s.offered = nil
	target.IdentitiesOnly = true
	refused(t, target, o, connection.AuthFailed, ssh.FingerprintSHA256(wrongPub))
	if len(s.offered) != 1 {
		t.Errorf("IdentitiesOnly offered %v", s.offered)
	}
}

func TestHostKeys(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	s := serve(t, pub, func(s *server) { s.hostKeys = []ssh.Signer{newRSAKey(t), newKey(t)} })
	rsaKey, edKey := s.hostKeys[0], s.hostKeys[1]
	other := newKey(t)
	with := func(mode connection.HostKeyMode, file string) connection.Options {
		return connection.Options{HostKey: mode, KnownHosts: []string{file}, SSHConfig: "none"}
	}

	t.Run("each known kind alone is enough", func(t *testing.T) {
		dial(t, s.target(file), with(connection.Strict, s.known(rsaKey)))
		dial(t, s.target(file), with(connection.Strict, s.known(edKey)))
	})
	t.Run("unknown", func(t *testing.T) {
		e := refused(t, s.target(file), with(connection.Strict, s.known()), connection.HostKeyUnknown,
			"SHA256:", "--host-key accept-new", fmt.Sprintf("[127.0.0.1]:%d ", s.port()))
		// The command that the error shows must do what it says.
		_, line, _ := strings.Cut(e.Msg, "echo '")
		line, _, _ = strings.Cut(line, "'")
		dial(t, s.target(file), with(connection.Strict, write(t, "known_hosts", line+"\n")))
	})
	t.Run("changed", func(t *testing.T) {
		known := s.known(other)
		for _, mode := range []connection.HostKeyMode{connection.Strict, connection.AcceptNew} {
			refused(t, s.target(file), with(mode, known), connection.HostKeyChanged,
				ssh.FingerprintSHA256(other.PublicKey()), ssh.FingerprintSHA256(edKey.PublicKey()), known+":1")
		}
		dial(t, s.target(file), with(connection.Off, known))
	})
	t.Run("known kind is gone", func(t *testing.T) {
		s := serve(t, pub)
		refused(t, s.target(file), with(connection.Strict, s.known(newRSAKey(t))), connection.HostKeyChanged, "ssh-rsa", "ssh-ed25519")
	})
	t.Run("revoked", func(t *testing.T) {
		line := "@revoked * " + string(ssh.MarshalAuthorizedKey(edKey.PublicKey()))
		text, err := os.ReadFile(s.known(edKey))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, s.target(file), with(connection.AcceptNew, write(t, "known_hosts", line+string(text))), connection.HostKeyChanged, "revoked")
	})
	t.Run("accept-new learns once", func(t *testing.T) {
		known := filepath.Join(t.TempDir(), "new", "known_hosts")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				c, err := connection.Dial(context.Background(), s.target(file), with(connection.AcceptNew, known))
				if err != nil {
					t.Error(err)
					return
				}
				c.Close()
			})
		}
		wg.Wait()
		text, err := os.ReadFile(known)
		if err != nil || strings.Count(string(text), "\n") != 1 {
			t.Errorf("known_hosts: %q, %v", text, err)
		}
		dial(t, s.target(file), with(connection.Strict, known))
	})
}

func TestUnreachable(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	s := serve(t, pub)

	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		target := s.target(file)
		target.Port = l.Addr().(*net.TCPAddr).Port
		refused(t, target, s.trusting(), connection.Refused, fmt.Sprint(target.Port))
	})
	t.Run("dns", func(t *testing.T) {
		target := s.target(file)
		target.Host = "nowhere.invalid"
		refused(t, target, s.trusting(), connection.UnknownName, "nowhere.invalid")
	})
	silent := func(t *testing.T, greet string) connection.Target {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(c, greet)
				if greet != "" {
					c.Close()
				}
				t.Cleanup(func() { c.Close() })
			}
		})
		t.Cleanup(func() { l.Close(); wg.Wait() })
		target := s.target(file)
		target.Port = l.Addr().(*net.TCPAddr).Port
		return target
	}
	t.Run("hang in the handshake", func(t *testing.T) {
		o := s.trusting()
		o.ConnectTimeout = 50 * time.Millisecond
		refused(t, silent(t, ""), o, connection.Timeout, "handshake", "50ms")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		_, err := connection.Dial(ctx, silent(t, ""), s.trusting())
		var e *connection.Error
		if !errors.As(err, &e) || e.Kind != connection.Cancelled || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no ssh server", func(t *testing.T) {
		refused(t, silent(t, "HTTP/1.0 400 Bad Request\r\n\r\n"), s.trusting(), connection.Handshake)
	})
	t.Run("no session", func(t *testing.T) {
		s := serve(t, pub, func(s *server) { s.noExec = true })
		_, err := dial(t, s.target(file), s.trusting()).Start(t.Context(), "true")
		var e *connection.Error
		if !errors.As(err, &e) || e.Kind != connection.NoSession || !strings.Contains(err.Error(), "MaxSessions") {
			t.Errorf("got %v", err)
		}
	})
}

func TestLost(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	t.Run("keepalive misses", func(t *testing.T) {
		s := serve(t, pub, func(s *server) { s.deaf = true })
		o := s.trusting()
		o.KeepAlive = 10 * time.Millisecond
		c := dial(t, s.target(file), o)
		<-c.Done()
		var e *connection.Error
		if err := c.Err(); !errors.As(err, &e) || e.Kind != connection.Lost || !strings.Contains(e.Msg, "no answer for 30ms") {
			t.Errorf("Err: %v", err)
		}
	})
	t.Run("keepalive answered", func(t *testing.T) {
		s := serve(t, pub)
		o := s.trusting()
		o.KeepAlive = time.Millisecond
		c := dial(t, s.target(file), o)
		for range 20 {
			if out, _, err := run(t, c, "echo ok", ""); err != nil || out != "ok\n" {
				t.Fatal(out, err)
			}
		}
	})
	t.Run("cut", func(t *testing.T) {
		s := serve(t, pub)
		c := dial(t, s.target(file), s.trusting())
		p, err := c.Start(t.Context(), "cat")
		if err != nil {
			t.Fatal(err)
		}
		s.drop()
		var e *connection.Error
		if err := p.Wait(); !errors.As(err, &e) || e.Kind != connection.Lost || e.Host != "web01" {
			t.Errorf("Wait: %v", err)
		}
		<-c.Done()
		if _, err := c.Start(t.Context(), "true"); !errors.As(err, &e) || e.Kind != connection.Lost {
			t.Errorf("Start afterwards: %v", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		s := serve(t, pub)
		c := dial(t, s.target(file), s.trusting())
		c.Close()
		<-c.Done()
		if c.Err() != nil {
			t.Errorf("Err after Close: %v", c.Err())
		}
		if _, err := c.Start(t.Context(), "true"); err == nil {
			t.Error("a closed connection starts processes")
		}
	})
}

func TestJump(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	bastionFile, bastionPub, _ := newKeyFile(t, "")
	bastion := serve(t, bastionPub)
	s := serve(t, pub)
	known := write(t, "known_hosts", string(must(os.ReadFile(s.known(s.hostKeys[0]))))+string(must(os.ReadFile(bastion.known(bastion.hostKeys[0])))))
	config := write(t, "config", fmt.Sprintf(`
Host bastion
  HostName 127.0.0.1
  Port %d
  User deploy
  IdentityFile %s
Host web*
  HostName 127.0.0.1
  ProxyJump bastion
`, bastion.port(), bastionFile))
	target := connection.Target{Name: "web01", Port: s.port(), User: "deploy", KeyFiles: []string{file}}
	o := connection.Options{KnownHosts: []string{known}, SSHConfig: config}
	t.Run("from the configuration", func(t *testing.T) {
		c := dial(t, target, o)
		if out, _, err := run(t, c, "cat", "through"); out != "through" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
		bastion.drop()
		<-c.Done()
	})
	t.Run("twice over", func(t *testing.T) {
		target := target
		target.ProxyJump = "bastion,bastion"
		dial(t, target, o)
	})
	t.Run("none", func(t *testing.T) {
		target := target
		target.ProxyJump = "none"
		n := len(bastion.offered)
		dial(t, target, o)
		if len(bastion.offered) != n {
			t.Error("it went through the jump host")
		}
	})
	t.Run("beyond is refused", func(t *testing.T) {
		target := target
		target.Port = 1
		refused(t, target, o, connection.NoRoute, "jump host", "127.0.0.1:1")
	})
	t.Run("hang beyond", func(t *testing.T) {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		defer l.Close()
		target, o := target, o
		target.Port, o.ConnectTimeout = l.Addr().(*net.TCPAddr).Port, 200*time.Millisecond
		refused(t, target, o, connection.Timeout, "200ms")
	})
	t.Run("jump host unknown", func(t *testing.T) {
		o := o
		o.KnownHosts = []string{write(t, "known_hosts", "")}
		refused(t, target, o, connection.HostKeyUnknown, "jump host bastion")
	})
	t.Run("loop", func(t *testing.T) {
		o := o
		o.SSHConfig = write(t, "config", "Host *\n  ProxyJump web02\n")
		refused(t, target, o, connection.BadConfig, "loop")
	})
}

func TestConfigFile(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	s := serve(t, pub)
	config := func(text string) connection.Options {
		o := s.trusting()
		o.SSHConfig = write(t, "config", text)
		return o
	}
	all := fmt.Sprintf("Host web01\n  HostName 127.0.0.1\n  Port %d\n  User deploy\n  IdentityFile %s\n  IdentitiesOnly yes\n", s.port(), file)
	dial(t, connection.Target{Name: "web01"}, config(all))
	refused(t, connection.Target{Name: "web01", User: "other"}, config(all), connection.AuthFailed, "as other")
	refused(t, connection.Target{Name: "web01"}, config("Host web01\n  ProxyCommand nc %h %p\n"), connection.BadConfig, "ProxyCommand")
	refused(t, connection.Target{Name: "web01"}, config("Match exec true\n"), connection.BadConfig, "--ssh-config none")
	refused(t, connection.Target{Name: "web01"}, config("Host web01\n  Port many\n"), connection.BadConfig, "many")
}

// TestNoLeak: whatever happened, no goroutine stays behind.
func TestNoLeak(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	s := serve(t, pub)
	base := runtime.NumGoroutine()
	for range 5 {
		c, err := connection.Dial(t.Context(), s.target(file), s.trusting())
		if err != nil {
			t.Fatal(err)
		}
		run(t, c, "true", "")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c.Start(ctx, "sleep 1000")
		if p, err := c.Start(t.Context(), "cat"); err == nil {
			p.Kill()
		}
		c.Close()
	}
	for range 5 {
		target := s.target(file)
		target.User = "nobody"
		connection.Dial(t.Context(), target, s.trusting())
	}
	s.drop()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > base {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), base, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
