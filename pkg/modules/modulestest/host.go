package modulestest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Host is a host in memory: files, directories, links, accounts, and commands
// with the answers they were given. A command it was not told of fails the
// test. It is safe for concurrent use.
type Host struct {
	host.Writer // files in memory; only the interface shows
	t           testing.TB

	mu    sync.Mutex
	rules []rule
	ran   [][]string
}

var _ host.Writer = (*Host)(nil)

// Handler answers one command.
type Handler func(ctx context.Context, h *Host, cmd host.Command) (host.Output, error)

type rule struct {
	argv    []string
	changes bool
	answer  Handler
}

// NewHost makes a host that runs as root and has the usual directories, the
// accounts root and nobody, and getent, which knows no more than the files.
func NewHost(t testing.TB) *Host {
	t.Helper()
	h := &Host{Writer: host.NewShadow(void{}), t: t}
	for _, dir := range []string{"/etc", "/home", "/opt", "/root", "/run", "/srv", "/usr/bin", "/usr/sbin", "/var/lib"} {
		h.AddDir(dir, 0o755)
	}
	h.AddDir("/tmp", 0o1777)
	h.AddFile("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", 0o644)
	h.AddFile("/etc/group", "root:x:0:\nnogroup:x:65534:\n", 0o644)
	h.Handle([]string{"getent", "..."}, func(context.Context, *Host, host.Command) (host.Output, error) {
		return host.Output{RC: 2}, nil
	})
	return h
}

// NewTestHost makes a Case.Host: each call is a new host, which set (may be
// nil) fills.
func NewTestHost(set func(h *Host)) func(t *testing.T) *Host {
	return func(t *testing.T) *Host {
		t.Helper()
		h := NewHost(t)
		if set != nil {
			set(h)
		}
		return h
	}
}

// AddFile puts a file there, and the directories it needs.
func (h *Host) AddFile(p, content string, mode uint32) {
	h.t.Helper()
	h.parents(p)
	h.must(h.WriteFile(p, strings.NewReader(content), host.Attrs{Mode: &mode}))
}

// AddDir puts a directory there, and its parents (0755); one that is there
// gets the mode.
func (h *Host) AddDir(p string, mode uint32) {
	h.t.Helper()
	h.parents(p)
	if there, err := host.Exists(h, p); err != nil || !there {
		h.must(h.Mkdir(p, mode))
	}
	h.must(h.Chmod(p, mode))
}

// AddLink puts a symbolic link there, and the directories it needs.
func (h *Host) AddLink(target, p string) {
	h.t.Helper()
	h.parents(p)
	h.must(h.Symlink(target, p))
}

// AddUser adds a line to /etc/passwd.
func (h *Host) AddUser(name string, uid, gid int) {
	h.t.Helper()
	h.addLine("/etc/passwd", fmt.Sprintf("%s:x:%d:%d::/home/%s:/bin/sh", name, uid, gid, name))
}

// AddGroup adds a line to /etc/group.
func (h *Host) AddGroup(name string, gid int, members ...string) {
	h.t.Helper()
	h.addLine("/etc/group", fmt.Sprintf("%s:x:%d:%s", name, gid, strings.Join(members, ",")))
}

func (h *Host) addLine(file, line string) {
	h.t.Helper()
	old, err := host.ReadFile(h, file)
	h.must(err)
	h.must(h.WriteFile(file, strings.NewReader(string(old)+line+"\n"), host.Attrs{}))
}

// AddCommand says what a command answers, and what it does to the host (nil:
// it only reads). In argv, "*" stands for any one word, and "..." at the end
// for any rest, none included. Of several that match the latest counts. A
// command with an effect must not be asked as a Query.
func (h *Host) AddCommand(argv []string, out host.Output, effect func(h *Host)) {
	h.add(rule{argv: argv, changes: effect != nil, answer: func(context.Context, *Host, host.Command) (host.Output, error) {
		if effect != nil {
			effect(h)
		}
		return out, nil
	}})
}

// Handle is AddCommand for answers that depend on the command or on time.
func (h *Host) Handle(argv []string, answer Handler) { h.add(rule{argv: argv, answer: answer}) }

// AddMissing says that a program is not there: the error matches
// exec.ErrNotFound.
func (h *Host) AddMissing(program string) {
	h.Handle([]string{program, "..."}, func(context.Context, *Host, host.Command) (host.Output, error) {
		return host.Output{}, fmt.Errorf("there is no command %s: %w", program, exec.ErrNotFound)
	})
}

func (h *Host) add(r rule) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules = append(h.rules, r)
}

// Ran lists the commands that were executed by Run so far.
func (h *Host) Ran() [][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ran)
}

// Run executes a command the host was told of.
func (h *Host) Run(ctx context.Context, cmd host.Command) (host.Output, error) {
	h.mu.Lock()
	h.ran = append(h.ran, cmd.Argv)
	h.mu.Unlock()
	r, err := h.rule(cmd)
	if err != nil {
		return host.Output{}, err
	}
	out, err := r.answer(ctx, h, cmd)
	if cmd.OnOutput != nil && len(out.Stdout) > 0 {
		cmd.OnOutput("stdout", out.Stdout)
	}
	if cmd.OnOutput != nil && len(out.Stderr) > 0 {
		cmd.OnOutput("stderr", out.Stderr)
	}
	return out, err
}

// Query executes a command the host was told of; it must be one without an
// effect.
func (h *Host) Query(ctx context.Context, cmd host.Command) (host.Output, error) {
	r, err := h.rule(cmd)
	if err != nil {
		return host.Output{}, err
	}
	if r.changes {
		h.t.Errorf("the command %q changes the host, but was asked as a Query", cmd.Argv)
	}
	return r.answer(ctx, h, cmd)
}

func (h *Host) rule(cmd host.Command) (rule, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range slices.Backward(h.rules) {
		if matches(r.argv, cmd.Argv) {
			return r, nil
		}
	}
	h.t.Errorf("the fake host was not told of the command %q", cmd.Argv)
	return rule{}, fmt.Errorf("the fake host was not told of the command %q", cmd.Argv)
}

func matches(pattern, argv []string) bool {
	for i, p := range pattern {
		switch {
		case p == "..." && i == len(pattern)-1:
			return true
		case i >= len(argv), p != "*" && p != argv[i]:
			return false
		}
	}
	return len(pattern) == len(argv)
}

// Identity is root's.
func (h *Host) Identity() (uid, gid int) { return 0, 0 }

// Noted has nothing to tell: this is a real host as far as modules go.
func (h *Host) Noted(kind, name string) (any, bool) { return nil, false }

// Note does nothing.
func (h *Host) Note(kind, name string, v any) {}

func (h *Host) parents(p string) {
	h.t.Helper()
	dir := path.Dir(p)
	if there, err := host.Exists(h, dir); err != nil || there {
		h.must(err)
		return
	}
	h.AddDir(dir, 0o755)
}

func (h *Host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("set the fake host up: %v", err)
	}
}

// void is a host with nothing but an empty root directory.
type void struct{}

func (void) Lstat(p string) (host.FileInfo, error) {
	if p == "/" {
		return host.FileInfo{Path: p, Type: host.Directory, Mode: 0o755, Nlink: 2}, nil
	}
	return host.FileInfo{}, missing(p)
}

func (v void) Stat(p string) (host.FileInfo, error) { return v.Lstat(p) }

func (void) Open(p string) (io.ReadCloser, error) { return nil, missing(p) }

func (void) ReadDir(p string) ([]host.FileInfo, error) {
	if p == "/" {
		return nil, nil
	}
	return nil, missing(p)
}

func (void) Query(context.Context, host.Command) (host.Output, error) {
	return host.Output{}, exec.ErrNotFound
}

func (void) Noted(kind, name string) (any, bool) { return nil, false }

func missing(p string) error { return &fs.PathError{Op: "stat", Path: p, Err: fs.ErrNotExist} }
