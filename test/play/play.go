// Package play runs the foobar-play program against lab servers as a person
// would: the program is built once a test process, started as a process of its
// own, and judged by its exit code and what it prints.
package play

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
)

// Result is what one run of the program came to.
type Result struct {
	Stdout, Stderr string
	Code           int
	Wall           time.Duration
}

var (
	build   sync.Once
	program string
	failed  error
)

// Program builds the program, static, and returns its path.
func Program(t testing.TB) string {
	t.Helper()
	build.Do(func() {
		dir, err := os.MkdirTemp("", "foobar-play-test-")
		if err != nil {
			failed = err
			return
		}
		program = filepath.Join(dir, "foobar-play")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "github.com/foobar-play/foobar-play/cmd/foobar-play")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			failed = fmt.Errorf("build the program: %w\n%s", err, out)
		}
	})
	if failed != nil {
		t.Fatal(failed)
	}
	return program
}

// Main runs a package's tests and removes the program afterwards; call it from
// TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	if program != "" {
		os.RemoveAll(filepath.Dir(program))
	}
	return code
}

// Command prepares the program against the lab's hosts, their keys checked
// strictly, and without the caller's ssh settings.
func Command(ctx context.Context, t testing.TB, l *lab.Lab, args ...string) *exec.Cmd {
	t.Helper()
	inventory, err := l.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	full := append([]string{"-i", inventory, "--known-hosts", l.KnownHosts(), "--ssh-config", "none"}, args...)
	cmd := exec.CommandContext(ctx, Program(t), full...)
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=", "NO_COLOR=1")
	return cmd
}

// Run runs the program to its end.
func Run(t testing.TB, l *lab.Lab, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	return Wait(t, Command(ctx, t, l, args...))
}

// Wait runs a prepared command to its end.
func Wait(t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	r := Result{Stdout: out.String(), Stderr: errs.String(), Wall: time.Since(start)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.Code = exit.ExitCode()
	case err != nil:
		t.Fatalf("run %s: %v", cmd.Path, err)
	}
	return r
}

// Must fails the test unless the run ended with the code.
func (r Result) Must(t testing.TB, code int) Result {
	t.Helper()
	if r.Code != code {
		t.Fatalf("exit code %d, want %d\n%s\n%s", r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

// Stats is one host's line of the recap.
type Stats struct {
	OK, Changed, Unreachable, Failed, Skipped, Rescued, Ignored, Maybe int
}

// Line is one line of --output jsonl, as far as tests look at it.
type Line struct {
	Type     string           `json:"type"`
	Task     string           `json:"task"`
	Role     string           `json:"role"`
	Host     string           `json:"host"`
	Status   string           `json:"status"`
	Msg      string           `json:"msg"`
	Reason   string           `json:"reason"`
	Item     *struct{}        `json:"item"`
	Hosts    json.RawMessage  `json:"hosts"`
	ExitCode *int             `json:"exit_code"`
	Result   map[string]any   `json:"result"`
	Changes  []map[string]any `json:"changes"`
}

// Lines reads the output of --output jsonl.
func (r Result) Lines(t testing.TB) []Line {
	t.Helper()
	var out []Line
	for text := range strings.Lines(r.Stdout) {
		var l Line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v\n%s", text, err, r.Stderr)
		}
		out = append(out, l)
	}
	return out
}

// Recap reads the recap of --output jsonl.
func (r Result) Recap(t testing.TB) map[string]Stats {
	t.Helper()
	lines := r.Lines(t)
	if len(lines) == 0 {
		t.Fatalf("no output\n%s", r.Stderr)
	}
	last := lines[len(lines)-1]
	if last.Type != "recap" {
		t.Fatalf("the last line is a %s", last.Type)
	}
	hosts := map[string]Stats{}
	if err := json.Unmarshal(last.Hosts, &hosts); err != nil {
		t.Fatal(err)
	}
	return hosts
}

// Write makes a file below the test's folder and returns its path.
func Write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
