// Package jsonl writes a run as JSON lines, for programs.
//
// The first line is {"type":"version","schema":"1.0",…}; then come "play",
// "task", "task_result", "task_output", "task_retry", "handler_notified",
// "unreachable" and "message" lines in the order things happened; the last line
// is {"type":"recap","hosts":{…},"exit_code":…}. Lines of unknown type and
// unknown fields are to be ignored by readers; the schema's major number
// changes when a field changes its meaning.
//
// It is a sink of pkg/event and knows nothing else.
package jsonl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
)

// Report is a sink that writes JSON lines. Make it with New.
type Report struct {
	enc      *json.Encoder
	exitCode func(event.Recap) int
	err      error
}

// New makes a Report. exitCode tells the code the program will exit with; nil
// means Recap.ExitCode(false).
func New(w io.Writer, exitCode func(event.Recap) int) *Report {
	if exitCode == nil {
		exitCode = func(r event.Recap) int { return r.ExitCode(false) }
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &Report{enc: enc, exitCode: exitCode}
}

// Err is the first error of writing.
func (r *Report) Err() error { return r.err }

// line is one JSON line; fields that do not apply are left out.
type line struct {
	Type       string         `json:"type"`
	Seq        int            `json:"seq,omitempty"`
	Time       string         `json:"time,omitempty"`
	Schema     string         `json:"schema,omitempty"`
	Version    string         `json:"version,omitempty"`
	Playbooks  []string       `json:"playbooks,omitempty"`
	Check      bool           `json:"check,omitempty"`
	Name       string         `json:"name,omitempty"`
	Hosts      any            `json:"hosts,omitempty"`
	Batch      int            `json:"batch,omitempty"`
	Batches    int            `json:"batches,omitempty"`
	TaskID     string         `json:"task_id,omitempty"`
	Task       string         `json:"task,omitempty"`
	Role       string         `json:"role,omitempty"`
	Module     string         `json:"module,omitempty"`
	Handler    bool           `json:"handler,omitempty"`
	Host       string         `json:"host,omitempty"`
	Delegate   string         `json:"delegated_to,omitempty"`
	Status     event.Status   `json:"status,omitempty"`
	Item       *item          `json:"item,omitempty"`
	Loop       bool           `json:"loop,omitempty"`
	Msg        string         `json:"msg,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Changes    []event.Change `json:"changes,omitzero"`
	Warnings   []string       `json:"warnings,omitempty"`
	Result     map[string]any `json:"result,omitempty"`
	Censored   bool           `json:"censored,omitempty"`
	Ignored    bool           `json:"ignored,omitempty"`
	Rescued    bool           `json:"rescued,omitempty"`
	Attempts   int            `json:"attempts,omitempty"`
	Pos        *pos           `json:"pos,omitempty"`
	DurationMS *float64       `json:"duration_ms,omitempty"`
	Stream     string         `json:"stream,omitempty"`
	Data       string         `json:"data,omitempty"`
	Retries    int            `json:"retries,omitempty"`
	Severity   string         `json:"severity,omitempty"`
	Hint       string         `json:"hint,omitempty"`
	Interrupt  bool           `json:"interrupted,omitempty"`
	ExitCode   *int           `json:"exit_code,omitempty"`
}

type item struct {
	Index int    `json:"index"`
	Label string `json:"label"`
}

type pos struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

func itemOf(i *event.Item) *item {
	if i == nil {
		return nil
	}
	return &item{i.Index, i.Label}
}

func position(p diag.Pos) *pos {
	if p.IsZero() {
		return nil
	}
	return &pos{p.File, p.Line, p.Col}
}

func millis(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}

// Event writes one event.
func (r *Report) Event(e event.Event) {
	l, ok := r.line(e.Body)
	if !ok {
		return
	}
	l.Seq, l.Time = e.Seq, e.Time.UTC().Format(time.RFC3339Nano)
	err := r.enc.Encode(l)
	var unsupported *json.UnsupportedValueError
	if errors.As(err, &unsupported) { // nothing was written
		l.Result, _ = finite(l.Result).(map[string]any)
		for i, c := range l.Changes {
			l.Changes[i].Before, l.Changes[i].After = finite(c.Before), finite(c.After)
		}
		err = r.enc.Encode(l)
	}
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("write the report: %w", err)
	}
}

// finite gives numbers that JSON has no word for (infinity) as text.
func finite(v any) any {
	switch x := v.(type) {
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return fmt.Sprint(x)
		}
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = finite(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = finite(e)
		}
		return out
	}
	return v
}

func (r *Report) line(body event.Body) (line, bool) {
	switch b := body.(type) {
	case event.RunStarted:
		return line{Type: "version", Schema: event.SchemaVersion, Version: b.Version, Playbooks: b.Playbooks, Check: b.Check}, true
	case event.PlayStarted:
		return line{Type: "play", Name: b.Name, Hosts: append([]string{}, b.Hosts...), Batch: b.Batch, Batches: b.Batches, Pos: position(b.Pos)}, true
	case event.TaskStarted:
		return task("task", b.Task), true
	case event.TaskResult:
		return result(b), true
	case event.TaskOutput:
		l := task("task_output", b.Task)
		l.Host, l.Stream, l.Data = b.Host, b.Stream, b.Data
		return l, true
	case event.TaskRetry:
		l := task("task_retry", b.Task)
		l.Host, l.Attempts, l.Retries, l.DurationMS = b.Host, b.Attempt, b.Retries, millis(b.Delay)
		l.Item = itemOf(b.Item)
		return l, true
	case event.HandlerNotified:
		return line{Type: "handler_notified", Name: b.Handler, Host: b.Host}, true
	case event.HostUnreachable:
		return line{Type: "unreachable", Host: b.Host, Msg: b.Msg}, true
	case event.Message:
		return line{Type: "message", Severity: b.Severity.String(), Msg: b.Text, Hint: b.Hint, Pos: position(b.Pos)}, true
	case event.RunEnded:
		code, hosts := r.exitCode(b.Recap), b.Recap.Hosts
		if hosts == nil {
			hosts = map[string]event.HostStats{}
		}
		return line{Type: "recap", Hosts: hosts, ExitCode: &code, Interrupt: b.Recap.Interrupted, DurationMS: millis(b.Recap.Duration)}, true
	}
	return line{}, false
}

func task(kind string, t event.TaskRef) line {
	return line{Type: kind, TaskID: t.ID, Task: t.Name, Role: t.Role, Module: t.Module, Handler: t.Handler, Pos: position(t.Pos)}
}

func result(b event.TaskResult) line {
	l := task("task_result", b.Task)
	l.Host, l.Delegate, l.Status, l.Loop = b.Host, b.Delegate, b.Status, b.Loop
	l.Item = itemOf(b.Item)
	l.Msg, l.Reason, l.Warnings = b.Msg, b.Reason, b.Warnings
	l.Changes = append([]event.Change{}, b.Changes...)
	l.Result, l.Censored, l.Ignored, l.Rescued = b.Values, b.Censored, b.Ignored, b.Rescued
	l.Attempts, l.DurationMS = b.Attempts, millis(b.Duration)
	return l
}
