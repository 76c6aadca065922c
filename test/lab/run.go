package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// ExecError is a command that ran and failed.
type ExecError struct {
	Argv   []string
	Code   int // exit status, -1 when a signal ended the command
	Stdout string
	Stderr string
}

// Error names the command, its exit status and the end of what it said.
func (e *ExecError) Error() string {
	said := e.Stderr
	if strings.TrimSpace(said) == "" {
		said = e.Stdout
	}
	return fmt.Sprintf("run %s: exit status %d: %s", strings.Join(e.Argv, " "), e.Code, tail(said, 800))
}

// tail cuts s to its last n bytes, at a line start if there is one.
func tail(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return "… " + s
}

// command prepares one of the machine's tools with messages in English.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if path, err := findTool(name); err == nil {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	ownSession(cmd)
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// collect runs a command and returns its standard output. A command that ran
// and failed is an *ExecError carrying shown as its Argv; one that was cut
// short by the context has the context's error.
func collect(ctx context.Context, cmd *exec.Cmd, shown []string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		return stdout.String(), fmt.Errorf("run %s: %w", strings.Join(shown, " "), context.Cause(ctx))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return stdout.String(), &ExecError{Argv: shown, Code: exit.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
	}
	if err != nil {
		return stdout.String(), fmt.Errorf("run %s: %w", strings.Join(shown, " "), err)
	}
	return stdout.String(), nil
}

// run runs one of the machine's tools to its end.
func run(ctx context.Context, argv ...string) (string, error) {
	return collect(ctx, command(ctx, argv[0], argv[1:]...), argv)
}

// each calls fn for every item at the same time and joins the errors.
func each[T any](items []T, fn func(T) error) error {
	errs := make([]error, len(items))
	var group sync.WaitGroup
	for i, item := range items {
		group.Go(func() { errs[i] = fn(item) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// until calls done until it returns true, an error, or the context ends.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// logged runs a command with its output going to log; the error of a failed
// one carries the end of the output.
func logged(ctx context.Context, cmd *exec.Cmd, log io.Writer) error {
	var output bytes.Buffer
	both := io.MultiWriter(&output, log)
	cmd.Stdout, cmd.Stderr = both, both
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, tail(output.String(), 2000))
	}
	return nil
}
