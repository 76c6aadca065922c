package connection_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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
		o.KeepAlive = 100 * time.Millisecond
		c := dial(t, s.target(file), o)
		for range 5 {
			select {
			case <-s.asked:
			case <-c.Done():
				t.Fatal(c.Err())
			}
		}
		if out, _, err := run(t, c, "echo ok", ""); err != nil || out != "ok\n" {
			t.Error(out, err)
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
