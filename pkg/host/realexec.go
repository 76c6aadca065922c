package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// killGrace is how long a process group may take to end after SIGTERM, before
// SIGKILL. drainGrace is how long output is still read after a command's own
// process has ended: a daemon it started may hold the pipe open for ever.
const (
	killGrace  = 2 * time.Second
	drainGrace = 2 * time.Second
)

// ErrClosed is the error of a command that was asked for after KillAll.
var ErrClosed = errors.New("the run is over, no command is started any more")

// sbin are where the tools of an administrator live; a user's PATH often lacks
// them.
var sbin = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// Query runs a command that only reads.
func (r *Real) Query(ctx context.Context, cmd Command) (Output, error) { return r.Run(ctx, cmd) }

// Run executes a command in a process group of its own and waits for it. A
// command that ran has a nil error, whatever its exit code. Otherwise the
// error matches exec.ErrNotFound (no such program), context.DeadlineExceeded
// (Timeout passed), ctx's error (cancelled) or ErrClosed; what it printed
// until then is in Output. Processes it left in its group are ended only when
// it is cancelled.
func (r *Real) Run(ctx context.Context, c Command) (Output, error) {
	cmd, err := r.command(c)
	if err != nil {
		return Output{}, err
	}
	outer := ctx
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	rec := newRecorder(c.OnOutput)
	cmd.Stdout, cmd.Stderr = rec.stream("stdout"), rec.stream("stderr")
	out := Output{Start: time.Now()}
	if err := r.start(cmd); err != nil {
		rec.close()
		return out, fmt.Errorf("start %s: %w", c.Argv[0], err)
	}
	waitErr := r.wait(ctx, cmd)
	out.End = time.Now()
	out.Stdout, out.Stderr = rec.close()
	out.RC = exitCode(cmd)
	switch {
	case outer.Err() != nil:
		return out, fmt.Errorf("%s was stopped: %w", c.Argv[0], context.Cause(outer))
	case ctx.Err() != nil:
		return out, fmt.Errorf("%s did not finish within %s: %w", c.Argv[0], c.Timeout, ctx.Err())
	case r.isClosed():
		return out, fmt.Errorf("%s was stopped: %w", c.Argv[0], ErrClosed)
	}
	var exit *exec.ExitError
	if waitErr == nil || errors.As(waitErr, &exit) || errors.Is(waitErr, exec.ErrWaitDelay) {
		return out, nil
	}
	return out, fmt.Errorf("run %s: %w", c.Argv[0], waitErr)
}

func (r *Real) command(c Command) (*exec.Cmd, error) {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return nil, errors.New("run a command: it has no name")
	}
	if c.Dir != "" {
		if fi, err := os.Stat(c.Dir); err != nil {
			return nil, fmt.Errorf("run %s in %s: %w", c.Argv[0], c.Dir, err)
		} else if !fi.IsDir() {
			return nil, fmt.Errorf("run %s in %s: not a directory", c.Argv[0], c.Dir)
		}
	}
	env := environment(c)
	path, err := lookPath(c.Argv[0], c.Dir, env)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: path, Args: c.Argv, Dir: c.Dir, Env: env, WaitDelay: drainGrace}
	if c.Stdin != nil {
		cmd.Stdin = strings.NewReader(string(c.Stdin))
	}
	ownGroup(cmd)
	return cmd, nil
}

// environment is the agent's, with the administrator's directories in PATH, a
// locale whose output can be read, and what the command adds.
func environment(c Command) []string {
	var env []string
	path := os.Getenv("PATH")
	for _, dir := range sbin {
		if !slices.Contains(filepath.SplitList(path), dir) {
			path = strings.TrimPrefix(path+string(filepath.ListSeparator)+dir, string(filepath.ListSeparator))
		}
	}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if name == "PATH" || !c.Locale && (name == "LC_ALL" || name == "LANGUAGE") {
			continue
		}
		env = append(env, kv)
	}
	env = append(env, "PATH="+path)
	if !c.Locale {
		env = append(env, "LC_ALL=C")
	}
	return append(env, c.Env...)
}

// lookPath finds a program by the PATH the command will have.
func lookPath(name, dir string, env []string) (string, error) {
	missing := fmt.Errorf("there is no command %s: %w", name, exec.ErrNotFound)
	if strings.ContainsRune(name, filepath.Separator) {
		at := name
		if !filepath.IsAbs(at) && dir != "" {
			at = filepath.Join(dir, at)
		}
		fi, err := os.Stat(at)
		switch {
		case errors.Is(notThere(err), os.ErrNotExist):
			return "", missing
		case err != nil:
			return "", fmt.Errorf("find the command %s: %w", name, err)
		case fi.IsDir():
			return "", fmt.Errorf("the command %s is a directory", name)
		}
		return filepath.Abs(at)
	}
	var path string
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
	}
	for _, d := range filepath.SplitList(path) {
		at := filepath.Join(d, name)
		if fi, err := os.Stat(at); err == nil && !fi.IsDir() && fi.Mode()&0o111 != 0 && filepath.IsAbs(at) {
			return at, nil
		}
	}
	return "", missing
}

// start begins a command and registers its group, unless KillAll was called.
func (r *Real) start(cmd *exec.Cmd) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.groups[cmd.Process.Pid] = struct{}{}
	return nil
}

// wait waits for the command, and ends its whole group when ctx is done.
func (r *Real) wait(ctx context.Context, cmd *exec.Cmd) error {
	pid := cmd.Process.Pid
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		endGroup(pid)
		err = <-done
	}
	r.mu.Lock()
	delete(r.groups, pid)
	r.mu.Unlock()
	return err
}

func (r *Real) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// KillAll ends every running command with all its process group: SIGTERM, and
// SIGKILL to what is left after two seconds. It returns when they are gone.
// Afterwards no command starts any more. The agent calls it when its
// connection dies.
func (r *Real) KillAll() {
	r.mu.Lock()
	r.closed = true
	groups := make([]int, 0, len(r.groups))
	for pid := range r.groups {
		groups = append(groups, pid)
	}
	r.mu.Unlock()
	done := make(chan struct{})
	for _, pid := range groups {
		go func() { endGroup(pid); done <- struct{}{} }()
	}
	for range groups {
		<-done
	}
}
