package host_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

func ptr[T any](v T) *T { return &v }

func TestRealWriteFile(t *testing.T) {
	r, dir := host.NewReal(), t.TempDir()
	path := filepath.Join(dir, "f")
	write := func(content string, a host.Attrs) {
		t.Helper()
		if err := r.WriteFile(path, strings.NewReader(content), a); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(content string, mode uint32) {
		t.Helper()
		b, err := host.ReadFile(r, path)
		if err != nil || string(b) != content {
			t.Fatalf("content %q, %v; want %q", b, err, content)
		}
		if info, _ := r.Lstat(path); info.Mode != mode || info.Type != host.File {
			t.Fatalf("%+v; want a file of mode %o", info, mode)
		}
	}
	write("one", host.Attrs{})
	expect("one", 0o644)
	write("two", host.Attrs{Mode: ptr(uint32(0o4750))})
	expect("two", 0o4750)
	write("three", host.Attrs{})
	expect("three", 0o4750)
	if os.Geteuid() == 0 {
		write("four", host.Attrs{UID: ptr(12), GID: ptr(34)})
		expect("four", 0o4750)
		write("five", host.Attrs{})
		if info, _ := r.Lstat(path); info.UID != 12 || info.GID != 34 || info.Mode != 0o4750 {
			t.Fatalf("owner or mode was not kept: %+v", info)
		}
	}
	stamp := time.Unix(1e9, 0)
	write("six", host.Attrs{ModTime: stamp})
	if info, _ := r.Lstat(path); !info.ModTime.Equal(stamp) {
		t.Fatalf("mtime %v", info.ModTime)
	}
}

// A write that breaks off leaves the old file and no temporary one.
func TestRealWriteFileBrokenOff(t *testing.T) {
	r, dir := host.NewReal(), t.TempDir()
	path := filepath.Join(dir, "f")
	if err := r.WriteFile(path, strings.NewReader("old"), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	broken := io.MultiReader(strings.NewReader("half"), failingReader{})
	if err := r.WriteFile(path, broken, host.Attrs{}); !errors.Is(err, errBroken) {
		t.Fatalf("got %v", err)
	}
	if b, _ := host.ReadFile(r, path); string(b) != "old" {
		t.Fatalf("content is %q", b)
	}
	if list, _ := r.ReadDir(dir); len(list) != 1 {
		t.Fatalf("left behind: %+v", list)
	}
	if err := r.WriteFile(dir, strings.NewReader("x"), host.Attrs{}); err == nil {
		t.Fatal("a directory was replaced by a file")
	}
}

var errBroken = errors.New("broken off")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }

func TestRealLinks(t *testing.T) {
	r, dir := host.NewReal(), t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.WriteFile(at("a"), strings.NewReader("a"), host.Attrs{}))
	must(r.WriteFile(at("b"), strings.NewReader("b"), host.Attrs{}))
	must(r.Symlink("a", at("l")))
	must(r.Symlink("b", at("l")))
	if info, err := r.Lstat(at("l")); err != nil || info.Target != "b" || info.Type != host.Link {
		t.Fatalf("%+v %v", info, err)
	}
	must(r.Link(at("a"), at("h")))
	must(r.Link(at("a"), at("h")))
	must(r.Link(at("a"), at("b")))
	if info, _ := r.Lstat(at("b")); info.Nlink != 3 {
		t.Fatalf("nlink %d", info.Nlink)
	}
	if err := r.Chmod(at("l"), 0o600); err == nil {
		t.Fatal("Chmod followed a link")
	}
	list, err := r.ReadDir(dir)
	must(err)
	if len(list) != 4 {
		t.Fatalf("left behind: %+v", list)
	}
	must(r.Remove(at("h")))
	must(r.Remove(at("h")))
	if _, err := r.Lstat(at("a") + "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("below a file: %v", err)
	}
	must(syscall.Mkfifo(at("p"), 0o600))
	if _, err := r.Open(at("p")); err == nil {
		t.Fatal("opened a pipe")
	}
}

func TestRealRun(t *testing.T) {
	r, ctx := host.NewReal(), t.Context()
	t.Setenv("LC_ALL", "en_US.UTF-8")
	t.Setenv("LANGUAGE", "en")
	t.Setenv("PATH", "/usr/bin:/bin")
	cases := []struct {
		name   string
		cmd    host.Command
		stdout string
		rc     int
	}{
		{"locale", host.Command{Argv: []string{"sh", "-c", `echo "$LC_ALL ${LANGUAGE-unset}"`}}, "C unset\n", 0},
		{"own locale", host.Command{Argv: []string{"sh", "-c", `echo "$LC_ALL $LANGUAGE"`}, Locale: true}, "en_US.UTF-8 en\n", 0},
		{"env", host.Command{Argv: []string{"sh", "-c", `echo "$LC_ALL"`}, Env: []string{"LC_ALL=POSIX"}}, "POSIX\n", 0},
		{"path", host.Command{Argv: []string{"sh", "-c", `echo "$PATH"`}}, "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n", 0},
		{"stdin", host.Command{Argv: []string{"cat"}, Stdin: []byte("in")}, "in", 0},
		{"dir", host.Command{Argv: []string{"pwd"}, Dir: "/usr"}, "/usr\n", 0},
		{"rc", host.Command{Argv: []string{"sh", "-c", "exit 7"}}, "", 7},
		{"signal", host.Command{Argv: []string{"sh", "-c", "kill -9 $$"}}, "", 137},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, err := r.Run(ctx, c.cmd)
			if err != nil || string(out.Stdout) != c.stdout || out.RC != c.rc {
				t.Fatalf("stdout %q, rc %d, %v", out.Stdout, out.RC, err)
			}
		})
	}
	for _, name := range []string{"no-such-program", "/no/such/program"} {
		_, err := r.Run(ctx, host.Command{Argv: []string{name}})
		if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if _, err := r.Run(ctx, host.Command{Argv: []string{"true"}, Dir: "/no/such"}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("missing directory: %v", err)
	}
}

func TestRealRunStreams(t *testing.T) {
	var got sync.Map
	var lines strings.Builder
	out, err := host.NewReal().Run(t.Context(), host.Command{
		Argv: []string{"sh", "-c", "echo one; echo two >&2; echo three"},
		OnOutput: func(stream string, b []byte) {
			got.Store(stream, true)
			if stream == "stdout" {
				lines.Write(b)
			}
		},
	})
	if err != nil || lines.String() != string(out.Stdout) || lines.String() != "one\nthree\n" || string(out.Stderr) != "two\n" {
		t.Fatalf("%q %q %q %v", lines.String(), out.Stdout, out.Stderr, err)
	}
}

// stubborn ignores SIGTERM, and so does its child; their process group is
// written to the file.
func stubborn(file string) host.Command {
	return host.Command{Argv: []string{"sh", "-c", `trap '' TERM; sh -c 'trap "" TERM; while :; do sleep 0.05; done' & echo $$ >"$0.tmp"; mv "$0.tmp" "$0"; wait; wait`, file}}
}

func groupOf(t *testing.T, file string) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil {
			var pid int
			for _, c := range strings.TrimSpace(string(b)) {
				pid = pid*10 + int(c-'0')
			}
			return pid
		}
	}
	t.Fatal("the command did not start")
	return 0
}

func expectGone(t *testing.T, pgid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if errors.Is(syscall.Kill(-pgid, 0), syscall.ESRCH) {
			return
		}
	}
	t.Fatalf("process group %d still lives", pgid)
}

func TestRealCancelKillsGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	file := filepath.Join(t.TempDir(), "pid")
	done := make(chan error, 1)
	go func() { _, err := host.NewReal().Run(ctx, stubborn(file)); done <- err }()
	pgid := groupOf(t, file)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	expectGone(t, pgid)
}

func TestRealTimeout(t *testing.T) {
	out, err := host.NewReal().Run(t.Context(), host.Command{Argv: []string{"sh", "-c", "echo early; sleep 60"}, Timeout: 100 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) || string(out.Stdout) != "early\n" {
		t.Fatalf("%q %v", out.Stdout, err)
	}
}

func TestRealKillAll(t *testing.T) {
	r, file := host.NewReal(), filepath.Join(t.TempDir(), "pid")
	done := make(chan error, 1)
	go func() { _, err := r.Run(context.Background(), stubborn(file)); done <- err }()
	pgid := groupOf(t, file)
	r.KillAll()
	expectGone(t, pgid)
	if err := <-done; !errors.Is(err, host.ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if _, err := r.Run(context.Background(), host.Command{Argv: []string{"true"}}); !errors.Is(err, host.ErrClosed) {
		t.Fatalf("a command started after KillAll: %v", err)
	}
}

// A daemon that keeps the pipe open does not keep the task waiting.
func TestRealRunLeavesDaemons(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	out, err := host.NewReal().Run(t.Context(), host.Command{Argv: []string{"sh", "-c", `sleep 60 & echo $! >"$0"; echo ok`, file}})
	if err != nil || string(out.Stdout) != "ok\n" || out.RC != 0 {
		t.Fatalf("%q %d %v", out.Stdout, out.RC, err)
	}
	if err := syscall.Kill(groupOf(t, file), syscall.SIGKILL); err != nil {
		t.Fatalf("the daemon was ended with the command: %v", err)
	}
}

const slowWriter = "HOST_TEST_SLOW_WRITER"

// A process that is killed while it writes leaves the old file.
func TestRealKilledWhileWriting(t *testing.T) {
	if path := os.Getenv(slowWriter); path != "" {
		host.NewReal().WriteFile(path, io.MultiReader(strings.NewReader("half"), blockingReader{}), host.Attrs{})
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRealKilledWhileWriting$")
	cmd.Env = append(os.Environ(), slowWriter+"="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		temp, _ := filepath.Glob(filepath.Join(dir, host.TempPrefix+"*"))
		if len(temp) == 1 {
			if fi, err := os.Stat(temp[0]); err != nil || fi.Mode().Perm() != 0o600 {
				t.Errorf("the temporary file is %v, %v", fi, err)
			} else if fi.Size() > 0 {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the write did not begin")
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
		t.Fatalf("%q %v", b, err)
	}
}

type blockingReader struct{}

func (blockingReader) Read([]byte) (int, error) {
	time.Sleep(time.Minute)
	return 0, io.EOF
}
