// Package text shows a run to people: one line a status for all hosts that
// share it, changes and diffs below, failures once more at the end with the
// command that tries again, and the recap in Ansible's format, byte for byte,
// for the scripts that read it.
//
// It is a sink of pkg/event and knows nothing else. What it writes is the
// run's result; diagnostics belong elsewhere.
package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
)

// Options tune a Report.
type Options struct {
	Color bool
	// Verbosity is the number of -v: 1 shows return values, 2 where tasks
	// are, 3 command output as it comes.
	Verbosity int
	// Rerun gives the command that tries again for the hosts that failed;
	// nil for none.
	Rerun func(failedHosts []string) string
}

// Report is a sink that writes text. Make it with New.
type Report struct {
	w     io.Writer
	opts  Options
	paint palette
	check bool

	task     event.TaskRef
	expected int // results still to come for task; <= 0: not known
	pending  []event.TaskResult
	fold     planFold
	err      error
}

type palette struct{ ok, changed, failed, skipped, maybe, plain, bold *color.Color }

// New makes a Report that writes to w.
func New(w io.Writer, o Options) *Report {
	mk := func(a ...color.Attribute) *color.Color {
		c := color.New(a...)
		if o.Color {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c
	}
	return &Report{w: w, opts: o, paint: palette{
		ok: mk(color.FgGreen), changed: mk(color.FgYellow), failed: mk(color.FgRed), skipped: mk(color.FgCyan),
		maybe: mk(color.FgMagenta), plain: mk(), bold: mk(color.Bold),
	}}
}

// Err is the first error of writing.
func (r *Report) Err() error { return r.err }

func (r *Report) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(r.w, format, args...); err != nil && r.err == nil {
		r.err = fmt.Errorf("write the report: %w", err)
	}
}

// Event shows one event.
func (r *Report) Event(e event.Event) {
	switch b := e.Body.(type) {
	case event.RunStarted:
		r.check = b.Check
	case event.PlayStarted:
		r.flush()
		r.play(b)
	case event.TaskStarted:
		r.flush()
		r.task, r.expected = b.Task, b.Hosts
		r.banner(r.taskTitle(b.Task))
		if r.opts.Verbosity >= 2 {
			r.printf("task at: %s\n", b.Task.Pos)
		}
	case event.TaskResult:
		r.result(b)
	case event.TaskRetry:
		r.retry(b)
	case event.TaskOutput:
		if r.opts.Verbosity >= 3 {
			r.indent(b.Host+" "+b.Stream+"| ", b.Data)
		}
	case event.HostUnreachable:
		r.flush()
		r.printf("%s\n", r.paint.failed.Sprintf("unreachable: [%s]", b.Host))
		r.indent("    ", b.Msg)
	case event.Message:
		r.message(b)
	case event.RunEnded:
		r.flush()
		r.end(b.Recap)
	}
}

func (r *Report) play(b event.PlayStarted) {
	title := "PLAY [" + b.Name + "]"
	if b.Batches > 1 {
		title += fmt.Sprintf(" batch %d/%d", b.Batch, b.Batches)
	}
	if r.check {
		title += " [CHECK MODE]"
	}
	r.banner(title)
	if len(b.Hosts) == 0 {
		r.printf("skipping: no hosts matched\n")
	}
}

func (r *Report) taskTitle(t event.TaskRef) string {
	kind, name := "TASK", t.Name
	if t.Handler {
		kind = "RUNNING HANDLER"
	}
	if t.Role != "" {
		name = t.Role + " : " + name
	}
	return kind + " [" + name + "]"
}

// banner is a title filled with stars to 80 columns, as Ansible prints it.
func (r *Report) banner(title string) {
	stars := max(3, 79-len([]rune(title)))
	r.printf("\n%s\n", r.paint.bold.Sprint(title+" "+strings.Repeat("*", stars)))
}

func (r *Report) message(b event.Message) {
	r.flush()
	label := r.paint.maybe.Sprint("[WARNING]")
	if b.Severity == diag.Error {
		label = r.paint.failed.Sprint("[ERROR]")
	}
	r.printf("%s: %s%s\n", label, b.Text, at(b.Pos))
}

func at(p diag.Pos) string {
	if p.IsZero() {
		return ""
	}
	return " (" + p.String() + ")"
}

func (r *Report) retry(b event.TaskRetry) {
	r.printf("%s\n", r.paint.skipped.Sprintf("retrying: [%s] attempt %d of %d did not do, next in %s", b.Host, b.Attempt, b.Retries+1, b.Delay))
}

// indent writes text with every line behind a prefix.
func (r *Report) indent(prefix, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		r.printf("%s%s\n", prefix, strings.TrimRight(line, "\r\n"))
	}
}
