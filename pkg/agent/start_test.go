package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/host"
)

// testAgent is the program of internal/testagent, built for this machine.
var testAgent string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "testagent-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	testAgent = filepath.Join(dir, "testagent")
	build := exec.Command("go", "build", "-o", testAgent, "./internal/testagent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the test agent: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// counting is a connection that knows what was said over it.
type counting struct {
	connection.Connection
	mu       sync.Mutex
	commands []string
	sent     int // bytes
}

func (c *counting) Start(ctx context.Context, command string) (connection.Process, error) {
	c.mu.Lock()
	c.commands = append(c.commands, command)
	c.mu.Unlock()
	p, err := c.Connection.Start(ctx, command)
	if err != nil {
		return nil, err
	}
	return &countingProcess{p, c}, nil
}

type countingProcess struct {
	connection.Process
	c *counting
}

func (p *countingProcess) Stdin() io.WriteCloser { return &countingWriter{p.Process.Stdin(), p.c} }

type countingWriter struct {
	io.WriteCloser
	c *counting
}

func (w *countingWriter) Write(b []byte) (int, error) {
	w.c.mu.Lock()
	w.c.sent += len(b)
	w.c.mu.Unlock()
	return w.WriteCloser.Write(b)
}

// local is this machine with an empty home.
func local(t *testing.T) (c *counting, home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	forgetFallback(t)
	t.Cleanup(func() { forgetFallback(t) })
	conn, err := connection.Dial(t.Context(), connection.Target{Name: "here", Kind: connection.Local}, connection.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &counting{Connection: conn}, home
}

// fallback is the agent's directory when the home does not do. It is this
// machine's real one.
var fallback = fmt.Sprintf("/var/tmp/foobar-play-%d", os.Getuid())

// forgetFallback removes the test agent from there.
func forgetFallback(t *testing.T) {
	t.Helper()
	content, err := os.ReadFile(testAgent)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(fallback, "agent-"+host.BlobOf(content).SHA256[:32]))
	os.Remove(fallback) // when it is empty
}

func options(t *testing.T) agent.Options { return shipping(t, agent.Binary(testAgent)) }

func shipping(t *testing.T, find func(goos, goarch string) (string, error)) agent.Options {
	t.Helper()
	o := agent.Options{Binaries: agent.NewBinaries(find), Store: agent.NewBlobStore()}
	t.Cleanup(func() {
		o.Binaries.Close()
		o.Store.Close()
	})
	return o
}

func start(t *testing.T, c connection.Connection, o agent.Options) *agent.Client {
	t.Helper()
	client, err := agent.Start(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return client
}

func sh(t *testing.T, c *agent.Client, cmd string) string {
	t.Helper()
	res, err := c.Do(t.Context(), agent.Request{Module: "sh", Args: map[string]any{"cmd": cmd}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(res.Values["stdout"].(string))
}

func unreachable(t *testing.T, err error, kind connection.ErrorKind, words ...string) {
	t.Helper()
	var e *connection.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got %v (%T), want a *connection.Error of kind %s", err, err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not mention %q: %v", w, err)
		}
	}
}

// waitGone waits until a process has ended.
func waitGone(t *testing.T, pid string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %s still runs", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestStart(t *testing.T) {
	conn, home := local(t)
	o := options(t)
	dir := filepath.Join(home, ".cache", "foobar-play")

	cold := start(t, conn, o)
	if got := sh(t, cold, "umask; pwd"); !strings.Contains(got, home) {
		t.Errorf("working directory: %s", got)
	}
	info := cold.Info()
	if info.Home != home || info.UID != os.Geteuid() || filepath.Dir(info.TempDir) != dir {
		t.Errorf("%+v", info)
	}
	if err := cold.Close(t.Context()); err != nil {
		t.Error(err)
	}
	waitGone(t, fmt.Sprint(info.PID))
	if _, err := os.Stat(info.TempDir); !os.IsNotExist(err) {
		t.Errorf("the temporary directory is left: %v", err)
	}
	fi, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o700 {
		t.Errorf("%s: %v", dir, fi.Mode())
	}

	// With the program in place nothing need be said before the agent is there.
	conn.commands, conn.sent = nil, 0
	warm := start(t, conn, o)
	if len(conn.commands) != 1 || conn.sent != 0 {
		t.Errorf("a warm start took %d commands and %d bytes", len(conn.commands), conn.sent)
	}
	if _, err := warm.Do(t.Context(), agent.Request{Module: "echo", Args: map[string]any{"value": "print"}}, nil); err != nil {
		t.Error(err)
	}
	sh(t, warm, "true")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 { // the program and the warm agent's directory
		t.Errorf("%v, %v", entries, err)
	}
}

// TestStartKeepsUmask: the private umask of the script must not reach tasks.
func TestStartKeepsUmask(t *testing.T) {
	conn, _ := local(t)
	want, err := exec.Command("/bin/sh", "-c", "umask").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := sh(t, start(t, conn, options(t)), "umask"); got != strings.TrimSpace(string(want)) {
		t.Errorf("umask %s, want %s", got, want)
	}
}

func TestStartManyAtOnce(t *testing.T) {
	conn, home := local(t)
	o := options(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := agent.Start(t.Context(), conn, o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(filepath.Join(home, ".cache", "foobar-play"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestStartAgain: a program that does not run is replaced.
func TestStartAgain(t *testing.T) {
	for name, damage := range map[string]string{"empty": "", "script": "exit 3\n", "garbage": "\x7fELF\x02\x01\x01"} {
		t.Run(name, func(t *testing.T) {
			conn, home := local(t)
			o := options(t)
			start(t, conn, o).Close(t.Context())
			programs, err := filepath.Glob(filepath.Join(home, ".cache", "foobar-play", "agent-*"))
			if err != nil || len(programs) != 1 {
				t.Fatal(programs, err)
			}
			os.Remove(programs[0])
			if err := os.WriteFile(programs[0], []byte(damage), 0o700); err != nil {
				t.Fatal(err)
			}
			sh(t, start(t, conn, o), "true")
		})
	}
}

func TestStartElsewhere(t *testing.T) {
	conn, home := local(t)
	os.MkdirAll(filepath.Join(home, ".cache"), 0o700)
	own := filepath.Join(home, ".cache", "foobar-play")
	t.Run("open to others", func(t *testing.T) {
		if err := os.Mkdir(own, 0o755); err != nil {
			t.Fatal(err)
		}
		c := start(t, conn, options(t))
		defer c.Close(t.Context())
		if got := filepath.Dir(c.Info().TempDir); got != fallback {
			t.Errorf("it is in %s", got)
		}
		if entries, _ := os.ReadDir(own); len(entries) != 0 {
			t.Errorf("left in %s: %v", own, entries)
		}
		os.Remove(own)
	})
	t.Run("link", func(t *testing.T) {
		if err := os.Symlink(t.TempDir(), own); err != nil {
			t.Fatal(err)
		}
		c := start(t, conn, options(t))
		if got := filepath.Dir(c.Info().TempDir); got != fallback {
			t.Errorf("it is in %s", got)
		}
	})
}

func TestStartFails(t *testing.T) {
	conn, _ := local(t)
	t.Run("no program", func(t *testing.T) {
		o := shipping(t, func(goos, goarch string) (string, error) { return "", errors.New("build one for " + goarch) })
		_, err := agent.Start(t.Context(), conn, o)
		unreachable(t, err, connection.NoAgent, "build one for")
	})
	t.Run("not an agent", func(t *testing.T) {
		o := shipping(t, agent.Binary("/bin/cat"))
		_, err := agent.Start(t.Context(), conn, o)
		unreachable(t, err, connection.NoAgent, "before it said anything", "exit code 1", marker)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := agent.Start(ctx, conn, options(t))
		unreachable(t, err, connection.Cancelled)
	})
	t.Run("become", func(t *testing.T) {
		for _, b := range []agent.Become{
			{Method: "sudo", Exe: "/nonexistent/sudo"},
			{Method: "sudo", User: "o'brien"},
			{Method: "doas"},
		} {
			o := options(t)
			o.Become = b
			_, err := agent.Start(t.Context(), conn, o)
			var e *agent.BecomeError
			if !errors.As(err, &e) || e.Host != "here" {
				t.Errorf("%+v: %v", b, err)
			}
		}
	})
}

// TestStartNoise: login scripts may print.
func TestStartNoise(t *testing.T) {
	conn, _ := local(t)
	fake := filepath.Join(t.TempDir(), "sudo")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\nprintf 'motd\\nno end'\necho oops >&2\nfor last; do :; done\nexec /bin/sh -c \"$last\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Become = agent.Become{Method: "sudo", Exe: fake}
	sh(t, start(t, conn, o), "true")
}

const marker = "__foobar-play-agent"

func TestAgentCrash(t *testing.T) {
	conn, _ := local(t)
	c := start(t, conn, options(t))
	_, err := c.Do(t.Context(), agent.Request{Module: "fail", Args: map[string]any{"how": "exit"}}, nil)
	unreachable(t, err, connection.Lost, "here", "exit code 9", "last words")
	<-c.Done()
}

// TestNothingLeft: when the connection goes, so does all that was started,
// also what ignores signals.
func TestNothingLeft(t *testing.T) {
	conn, home := local(t)
	c := start(t, conn, options(t))
	running := make(chan struct{})
	failed := make(chan error, 1)
	pid := filepath.Join(home, "pid")
	go func() {
		_, err := c.Do(t.Context(), agent.Request{Module: "sh", Args: map[string]any{
			"cmd": `echo $$ > ` + pid + `; trap "" TERM HUP; (sleep 1000; sleep 1000) & echo; sleep 1000; sleep 1000`}},
			func(string, []byte) { close(running) })
		failed <- err
	}()
	<-running
	conn.Connection.Close()
	unreachable(t, <-failed, connection.Lost)
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, strings.TrimSpace(string(text)))
	waitGone(t, fmt.Sprint(c.Info().PID))
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range stats {
		stat, _ := os.ReadFile(f)
		_, rest, _ := strings.Cut(string(stat), ") ") // state, parent, group
		if w := strings.Fields(rest); len(w) > 2 && w[2] == strings.TrimSpace(string(text)) && w[0] != "Z" {
			t.Errorf("left in the command's group: %s", stat)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(home, ".cache", "foobar-play", "tmp-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
