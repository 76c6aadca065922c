// Package text shows a run to people: one line a status for all hosts that
// share it, changes and diffs below, failures once more at the end with the
// command that tries again, and the recap in Ansible's format, byte for byte,
// for the scripts that read it.
//
// It is a sink of pkg/event and knows nothing else. Report writes the run's
// results; messages, which are diagnostics, go to a sink of their own
// (Diagnostics), so that results and diagnostics can have a stream each.
package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

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
	printer
	opts  Options
	paint palette
	check bool

	task     event.TaskRef
	expected int // results still to come for task; <= 0: not known
	pending  []event.TaskResult
	looped   map[string]bool // hosts whose items of task were shown
	failed   failedItems
	plan     plan
}

type palette struct{ ok, changed, failed, skipped, maybe, bold *color.Color }

func newPalette(colored bool) palette {
	mk := func(a color.Attribute) *color.Color {
		c := color.New(a)
		if colored {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c
	}
	return palette{
		ok: mk(color.FgGreen), changed: mk(color.FgYellow), failed: mk(color.FgRed), skipped: mk(color.FgCyan),
		maybe: mk(color.FgMagenta), bold: mk(color.Bold),
	}
}

// New makes a Report that writes to w.
func New(w io.Writer, o Options) *Report {
	return &Report{printer: printer{w: w}, opts: o, paint: newPalette(o.Color), looped: map[string]bool{}, failed: failedItems{}}
}

// Err is the first error of writing.
func (r *Report) Err() error { return r.err }

// Event shows one event.
func (r *Report) Event(e event.Event) {
	switch b := e.Body.(type) {
	case event.RunStarted:
		r.check = b.Check
	case event.PlayStarted:
		r.flush()
		r.play(b)
	case event.TaskStarted:
		r.begin(b.Task, b.Hosts)
		r.banner(taskTitle(b.Task))
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
	case event.Message: // a diagnostic: what came before it is shown before it
		r.flush()
	case event.RunEnded:
		r.flush()
		r.end(b.Recap)
	}
}

// begin makes t the task whose results are shown.
func (r *Report) begin(t event.TaskRef, hosts int) {
	r.flush()
	r.task, r.expected = t, hosts
	clear(r.looped)
}

func (r *Report) play(b event.PlayStarted) {
	title := "PLAY [" + clean(b.Name) + "]"
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

func taskTitle(t event.TaskRef) string {
	kind, name := "TASK", t.Name
	if t.Handler {
		kind = "RUNNING HANDLER"
	}
	if t.Role != "" {
		name = t.Role + " : " + name
	}
	return kind + " [" + clean(name) + "]"
}

// banner is a title filled with stars to 80 columns, as Ansible prints it.
func (r *Report) banner(title string) {
	stars := max(3, 79-len([]rune(title)))
	r.printf("\n%s\n", r.paint.bold.Sprint(title+" "+strings.Repeat("*", stars)))
}

func (r *Report) retry(b event.TaskRetry) {
	what := "[" + b.Host + "]"
	if b.Item != nil {
		what += " => (item=" + short(b.Item.Label) + ")"
	}
	r.printf("%s\n", r.paint.skipped.Sprintf("retrying: %s attempt %d of %d was not enough, next in %s", what, b.Attempt, b.Retries+1, b.Delay))
}
