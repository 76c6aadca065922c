package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Input are the options about what goes into a process and comes out of it.
type Input struct {
	Stdin           *string `arg:"stdin" doc:"Text for the command's standard input."`
	StdinAddNewline bool    `arg:"stdin_add_newline" default:"true" doc:"End stdin with a newline."`
	StripEmptyEnds  bool    `arg:"strip_empty_ends" default:"true" doc:"Cut empty lines off the end of stdout and stderr."`
}

// Returns documents the return values of the family.
var Returns = []modules.Return{
	{Name: "cmd", Type: "list or string", Doc: "The command: a list for command, a string for shell, raw and script."},
	{Name: "rc", Type: "int", Doc: "The exit code; 128+n when signal n ended it."},
	{Name: "stdout", Type: "string", Doc: "Standard output."},
	{Name: "stderr", Type: "string", Doc: "Standard error."},
	{Name: "stdout_lines", Type: "list", Doc: "Standard output, line by line."},
	{Name: "stderr_lines", Type: "list", Doc: "Standard error, line by line."},
	{Name: "start", Type: "string", Doc: "When it began, local time."},
	{Name: "end", Type: "string", Doc: "When it ended, local time."},
	{Name: "delta", Type: "string", Doc: "How long it ran, as h:mm:ss.ffffff."},
	{Name: "msg", Type: "string", Doc: "Why it was skipped or failed, else empty."},
}

// Process is a command a task runs for the user, guarded by creates and
// removes. Its exit code decides success; what it changed is not known, so a
// run always reports "changed" and a dry run "maybe".
type Process struct {
	Shown any // return value cmd
	Guards
	Input
	// Argv gives the words to execute. It is called in Apply only, so it may
	// first bring a file to the host (script). The program must be found by
	// PATH or be absolute.
	Argv func(ctx context.Context, w host.Writer) ([]string, error)
	// Done, when set, is called after the process has ended.
	Done func(w host.Writer) error
}

// notRun is the reason of a dry run.
const notRun = "the command is not run in a dry run"

// Action makes the task's action.
func (p Process) Action(env modules.Env) modules.Action {
	return modules.Custom(
		func(_ context.Context, r host.Reader) (modules.Plan, error) { return p.plan(env, r) },
		func(ctx context.Context, w host.Writer) (modules.Outcome, error) { return p.apply(ctx, env, w) },
		modules.Unverifiable,
	)
}

func (p Process) plan(env modules.Env, r host.Reader) (modules.Plan, error) {
	why, msg, err := p.Skip(env, r)
	if reason, unknown := host.IsUnknown(err); unknown {
		return p.unknown(reason), nil
	}
	if err != nil {
		return modules.Plan{}, err
	}
	if why == "" {
		return p.unknown(notRun), nil
	}
	vals := values(host.Output{Stdout: []byte(why)}, true)
	vals["cmd"], vals["msg"] = p.Shown, msg
	for _, k := range []string{"start", "end", "delta"} {
		vals[k] = nil
	}
	return modules.Plan{Verdict: modules.Verdict{Kind: modules.NoChange, Reason: why}, Values: vals}, nil
}

// unknown is the plan of a command that would run: nothing it returns is
// known.
func (p Process) unknown(reason string) modules.Plan {
	vals := map[string]any{"cmd": p.Shown}
	for _, r := range Returns[1:] {
		vals[r.Name] = value.Unknown{Reason: reason}
	}
	return modules.Plan{Verdict: modules.Verdict{Kind: modules.Unknown, Reason: reason}, Values: vals}
}

func (p Process) apply(ctx context.Context, env modules.Env, w host.Writer) (modules.Outcome, error) {
	argv, err := p.Argv(ctx, w)
	if err != nil {
		return modules.Outcome{}, err
	}
	out, err := w.Run(ctx, host.Command{
		Argv: argv, Dir: Expand(env, p.Chdir), Stdin: p.input(), OnOutput: env.OnOutput, Locale: true,
		Pretend: p.pretend,
	})
	if p.Done != nil {
		err = errors.Join(err, p.Done(w))
	}
	if err != nil {
		return p.startFailure(w, env, argv, err)
	}
	vals := values(out, p.StripEmptyEnds)
	vals["cmd"] = p.Shown
	o := modules.Outcome{Changed: true, Values: vals}
	if out.RC != 0 {
		vals["msg"] = "non-zero return code"
		o.Values = maps.Clone(vals)
		vals["changed"] = true // it ran, whatever it came to
		return o, &modules.Failure{Msg: "non-zero return code", Values: vals}
	}
	return o, nil
}

// pretend says what can be said of a command that is not run: what is not
// there may be made by it, so a later task must not fail for its absence.
func (p Process) pretend(w host.Writer) error {
	name := value.Text(p.Shown)
	if list, ok := p.Shown.([]any); ok && len(list) > 0 {
		name = value.Text(list[0])
	}
	if r := []rune(name); len(r) > 40 {
		name = string(r[:40]) + "…"
	}
	host.NotePendingAnywhere(w, "command "+name, fmt.Sprintf("the command %q is not run in a dry run and may make it", name))
	return host.Unknownf("%s", notRun)
}

// startFailure explains a program that could not be started, with the return
// values Ansible gives then.
func (p Process) startFailure(r host.Reader, env modules.Env, argv []string, err error) (modules.Outcome, error) {
	if !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return modules.Outcome{}, err
	}
	msg := err.Error()
	if dir := Expand(env, p.Chdir); dir != "" {
		if fi, statErr := r.Stat(dir); statErr != nil || fi.Type != host.Directory {
			msg = fmt.Sprintf("Unable to change directory before execution: %s: %v", dir, err)
		}
	}
	vals := values(host.Output{RC: 2}, true)
	vals["cmd"], vals["msg"] = p.Shown, msg
	return modules.Outcome{Values: vals}, &modules.Failure{Msg: msg, Values: vals}
}

func (p Process) input() []byte {
	if p.Stdin == nil {
		return nil
	}
	text := *p.Stdin
	if p.StdinAddNewline {
		text += "\n"
	}
	return []byte(text)
}

func values(out host.Output, strip bool) map[string]any {
	vals := map[string]any{
		"rc": out.RC, "msg": "",
		"start": stamp(out.Start), "end": stamp(out.End), "delta": Delta(out.End.Sub(out.Start)),
	}
	for name, b := range map[string][]byte{"stdout": out.Stdout, "stderr": out.Stderr} {
		text := Text(b, strip)
		vals[name], vals[name+"_lines"] = text, Lines(text)
	}
	return vals
}

// Text makes a value of output: invalid UTF-8 is replaced, and trailing line
// ends are cut when strip is set.
func Text(b []byte, strip bool) string {
	if strip {
		b = bytes.TrimRight(b, "\r\n")
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// Lines splits text for a …_lines return value; no text is no line.
func Lines(text string) []any {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return []any{}
	}
	var out []any
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, line)
	}
	return out
}

func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05.000000") }

// Delta writes a duration as Ansible does: h:mm:ss.ffffff, days before it.
func Delta(d time.Duration) string {
	s := fmt.Sprintf("%d:%02d:%02d.%06d", int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60, d.Microseconds()%1e6)
	switch days := int(d.Hours()) / 24; {
	case days == 1:
		return "1 day, " + s
	case days > 1:
		return fmt.Sprintf("%d days, %s", days, s)
	}
	return s
}

// Said gathers what several commands of one task said.
type Said struct{ stdout, stderr []byte }

// Add appends a command's output.
func (s *Said) Add(out host.Output) {
	s.stdout = append(s.stdout, out.Stdout...)
	s.stderr = append(s.stderr, out.Stderr...)
}

// Values gives the return values stdout and stderr, with their lines; none
// when no command was run.
func (s *Said) Values() map[string]any {
	if len(s.stdout)+len(s.stderr) == 0 {
		return nil
	}
	stdout, stderr := Text(s.stdout, false), Text(s.stderr, false)
	return map[string]any{"stdout": stdout, "stdout_lines": Lines(stdout), "stderr": stderr, "stderr_lines": Lines(stderr)}
}
