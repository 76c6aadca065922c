// Package event is what happened in a run, as one ordered stream.
//
// The engine never prints: it emits Events, numbered, from one goroutine at a
// time; terminal text, JSON lines, recap and exit code are all folds of the
// stream. Bodies are a sealed set of types. Secrets are masked where an Event
// is built, in the runner: a sink never sees one.
//
// The package knows nothing of how things happen and imports only pkg/diag.
package event

import (
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// SchemaVersion is the version of the event schema, first in every stream. The
// major number changes when a field changes its meaning or goes away.
const SchemaVersion = "1.0"

// Event is one thing that happened.
type Event struct {
	Seq  int // 1, 2, 3 … without gaps
	Time time.Time
	Body Body
}

// Body is one of the types of this package.
type Body interface{ body() }

// Sink receives events one at a time, in order. It must not keep the run
// waiting for long, and must not change what a Body points to.
type Sink interface{ Event(Event) }

// SinkFunc makes a function a Sink.
type SinkFunc func(Event)

// Event calls the function.
func (f SinkFunc) Event(e Event) { f(e) }

// Status is what a task came to on a host.
type Status string

// The statuses of a task result.
const (
	OK          Status = "ok"
	Changed     Status = "changed"
	Failed      Status = "failed"
	Skipped     Status = "skipped"
	Unreachable Status = "unreachable"
	// Maybe: in a dry run it cannot be known whether the task would change
	// something; Reason says why.
	Maybe Status = "maybe"
)

// Change is one difference a task made or would make. Sensitive values are
// already masked.
type Change struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
	Path   string `json:"path,omitempty"`
}

// TaskRef names a task in the events about it.
type TaskRef struct {
	ID     string // unique in the run
	Name   string // as templated; the module's name when the task has none
	Role   string // "" outside of roles
	Module string // as written
	Pos    diag.Pos
	// Handler is true for a handler.
	Handler bool
}

// RunStarted is the first event: what is run and how.
type RunStarted struct {
	Playbooks []string
	Check     bool
	Diff      bool
	Version   string // of the program
}

// PlayStarted opens a play; a play with serial opens once a batch.
type PlayStarted struct {
	Name    string
	Pos     diag.Pos
	Hosts   []string // of this batch
	Batch   int      // 1-based
	Batches int
}

// TaskStarted opens a task for some hosts. With strategy free it comes once a
// task, with the first host that reaches it.
type TaskStarted struct {
	Task TaskRef
	// Hosts lists how many hosts will run it; 0 when not known (free).
	Hosts int
}

// TaskOutput is a piece of a running command's output, for verbose sinks.
type TaskOutput struct {
	Task   TaskRef
	Host   string
	Stream string // "stdout" or "stderr"
	Data   string
}

// TaskResult is one outcome: of a task on a host, or of one item of its loop.
type TaskResult struct {
	Task   TaskRef
	Host   string
	Status Status
	// Item is set for the results of a loop's items; the task's own result
	// follows them with Item nil and Loop true.
	Item *Item
	Loop bool
	// Msg is why it failed or was skipped, or what debug says.
	Msg string
	// Reason says why a Maybe is one.
	Reason   string
	Changes  []Change
	Warnings []string
	// Values are the return values, masked; nil with no_log.
	Values map[string]any
	// Censored is true with no_log: Msg, Changes and Values were removed.
	Censored bool
	// Ignored: it failed or was unreachable, and the play goes on because of
	// ignore_errors or ignore_unreachable. Rescued: a rescue section takes over.
	Ignored bool
	Rescued bool
	// Delegate is the host that did the work, "" when it is Host.
	Delegate string
	Attempts int // of until; 0 without
	Duration time.Duration
	// Diff asks sinks to show content of Changes.
	Diff bool
}

// Item is one element of a loop.
type Item struct {
	Index int
	Label string // from loop_control.label, or the item itself
}

// TaskRetry says that until was not met yet.
type TaskRetry struct {
	Task    TaskRef
	Host    string
	Attempt int // 1-based, that failed
	Retries int // in all
	Delay   time.Duration
	Item    *Item
}

// HandlerNotified says that a task made a handler due.
type HandlerNotified struct {
	Handler string
	Host    string
}

// HostUnreachable says that a host is lost to the play, outside of a task (a
// task's own result says so itself).
type HostUnreachable struct {
	Host string
	Msg  string
}

// Message is a diagnostic: something people should know that belongs to no
// task.
type Message struct {
	Severity diag.Severity
	Text     string
	Pos      diag.Pos
	Hint     string // what to do about it; may be ""
}

// RunEnded is the last event.
type RunEnded struct {
	Recap Recap
}

func (RunStarted) body()      {}
func (PlayStarted) body()     {}
func (TaskStarted) body()     {}
func (TaskOutput) body()      {}
func (TaskResult) body()      {}
func (TaskRetry) body()       {}
func (HandlerNotified) body() {}
func (HostUnreachable) body() {}
func (Message) body()         {}
func (RunEnded) body()        {}
