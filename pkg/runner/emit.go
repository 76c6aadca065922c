package runner

import (
	"sync"
	"time"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// emitter numbers events and hands them to the sinks, one at a time. Secrets
// are masked here, before any sink sees an event.
type emitter struct {
	mu    sync.Mutex
	seq   int
	sinks []event.Sink
	fold  event.Folder
	mask  *masker
}

func newEmitter(sinks []event.Sink, mask *masker) *emitter {
	return &emitter{sinks: sinks, mask: mask}
}

func (e *emitter) emit(b event.Body) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	ev := event.Event{Seq: e.seq, Time: time.Now(), Body: e.masked(b)}
	e.fold.Event(ev)
	for _, s := range e.sinks {
		s.Event(ev)
	}
}

func (e *emitter) recap() event.Recap {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fold.Recap()
}

// masked replaces secrets in every text of an event.
func (e *emitter) masked(b event.Body) event.Body {
	if e.mask.empty() {
		return b
	}
	switch x := b.(type) {
	case event.TaskResult:
		return e.maskResult(x)
	case event.TaskOutput:
		x.Data = e.mask.text(x.Data)
		return x
	case event.TaskStarted:
		x.Task.Name = e.mask.text(x.Task.Name)
		return x
	case event.Message:
		x.Text, x.Hint = e.mask.text(x.Text), e.mask.text(x.Hint)
		return x
	case event.HostUnreachable:
		x.Msg = e.mask.text(x.Msg)
		return x
	case event.PlayStarted:
		x.Name = e.mask.text(x.Name)
		return x
	case event.RunEnded:
		for i, f := range x.Recap.Failures {
			x.Recap.Failures[i] = e.maskResult(f)
		}
		return x
	}
	return b
}

func (e *emitter) maskResult(x event.TaskResult) event.TaskResult {
	x.Task.Name = e.mask.text(x.Task.Name)
	x.Msg, x.Reason = e.mask.text(x.Msg), e.mask.text(x.Reason)
	warnings := make([]string, len(x.Warnings))
	for i, w := range x.Warnings {
		warnings[i] = e.mask.text(w)
	}
	x.Warnings = warnings
	changes := make([]event.Change, len(x.Changes))
	for i, c := range x.Changes {
		c.Before, c.After = e.mask.value(c.Before), e.mask.value(c.After)
		changes[i] = c
	}
	x.Changes = changes
	if x.Values != nil {
		x.Values = e.mask.value(x.Values).(map[string]any)
	}
	if x.Item != nil {
		item := *x.Item
		item.Label = e.mask.text(item.Label)
		x.Item = &item
	}
	return x
}

// hidden stands where a sensitive value was.
const hidden = "(hidden)"

// changesOf converts a module's changes, sensitive values hidden.
func changesOf(in []modules.Change) []event.Change {
	var out []event.Change
	for _, c := range in {
		ev := event.Change{Field: c.Field, Before: value.Normalize(c.Before), After: value.Normalize(c.After), Path: c.Path}
		if c.Sensitive {
			ev.Before, ev.After = hidden, hidden
		}
		out = append(out, ev)
	}
	return out
}
