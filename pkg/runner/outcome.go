package runner

import (
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// outcome is what a task, or one item of its loop, came to on a host.
type outcome struct {
	status   event.Status
	msg      string
	reason   string // of a Maybe
	warnings []string
	changes  []modules.Change
	values   map[string]any // return values, for events
	register any            // what `register` stores: a map, or an Unknown

	facts   map[string]any
	factsTo *hostState // with delegate_facts
	setVars map[string]any
	include map[string]any

	// acted: it failed, and yet changed something (a command that ran).
	acted    bool
	ignored  bool
	rescued  bool
	fatal    bool // for all hosts, unless rescued
	delegate string
	attempts int
	duration time.Duration
	taskName string
	effects  *modules.Effects
}

// fromResult makes the outcome of a module's answer.
func fromResult(res modules.Result, err error) outcome {
	out := outcome{status: event.OK, msg: res.Msg, changes: res.Changes, warnings: res.Warnings, facts: res.Facts, effects: res.Effects}
	values := maps.Clone(res.Values)
	if values == nil {
		values = map[string]any{}
	}
	if err != nil {
		failedOutcome(&out, values, err)
	} else {
		switch {
		case res.Skipped:
			out.status = event.Skipped
		case res.Unknown != "":
			out.status, out.reason = event.Maybe, res.Unknown
		case res.Changed:
			out.status = event.Changed
		}
	}
	if e := res.Effects; e != nil {
		out.setVars, out.include = e.SetVars, e.Include
	}
	if out.msg != "" {
		values["msg"] = out.msg
	}
	if len(res.Facts) > 0 {
		values["ansible_facts"] = res.Facts
	}
	addLines(values)
	out.values = values
	out.register = out.registered()
	return out
}

func failedOutcome(out *outcome, values map[string]any, err error) {
	var f *modules.Failure
	var unreachable *connection.Error
	switch {
	case errors.As(err, &f):
		out.status, out.msg = event.Failed, f.Msg
		maps.Copy(values, f.Values)
		out.acted = values["changed"] == true
	case errors.As(err, &unreachable):
		out.status, out.msg = event.Unreachable, err.Error()
	default:
		out.status, out.msg = event.Failed, err.Error()
	}
}

// spreadUnknown makes the return values that a dry run could not give Unknown,
// so that they are not taken for missing. A module that only reads changes
// nothing, whatever it would have read.
func (o *outcome) spreadUnknown(m *modules.Module) {
	for _, ret := range m.Returns {
		if _, given := o.values[ret.Name]; !given {
			o.values[ret.Name] = value.Unknown{Reason: o.reason}
		}
	}
	if m.ReadOnly && !m.IsLocal() {
		o.status = event.OK
	}
	o.register = o.registered()
}

// addLines gives stdout and stderr their _lines forms, as Ansible does.
func addLines(values map[string]any) {
	for _, name := range []string{"stdout", "stderr"} {
		s, ok := values[name].(string)
		if _, there := values[name+"_lines"]; !ok || there {
			continue
		}
		lines := []any{}
		for line := range strings.Lines(s) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
		values[name+"_lines"] = lines
	}
}

// registered is what `register` stores. Where a dry run cannot know whether
// the task changes something, changed is Unknown, and so is every value that
// was not given.
func (o outcome) registered() map[string]any {
	r := maps.Clone(o.values)
	if r == nil {
		r = map[string]any{}
	}
	r["changed"] = o.status == event.Changed || o.status == event.Failed && o.acted
	r["failed"] = o.status == event.Failed
	if o.status == event.Maybe {
		r["changed"] = value.Unknown{Reason: o.reason}
	}
	if o.status == event.Skipped {
		r["skipped"] = true
		r["skip_reason"] = o.msg
	}
	if o.status == event.Unreachable {
		r["unreachable"] = true
	}
	if o.attempts > 0 {
		r["attempts"] = o.attempts
	}
	return r
}

func maybe(reason string) outcome {
	return outcome{status: event.Maybe, reason: reason, register: value.Unknown{Reason: reason}}
}

// failure is the outcome of a mistake; of what a dry run cannot know it is a
// Maybe.
func failure(err error) outcome {
	if reason, unknown := host.IsUnknown(err); unknown {
		return maybe(reason)
	}
	out := outcome{status: event.Failed, msg: err.Error()}
	out.values = map[string]any{"msg": out.msg}
	out.register = out.registered()
	return out
}

// fail gives the outcome of a task whose keywords cannot be evaluated after its
// module has run: a failure that keeps the return values.
func (o outcome) fail(err error) outcome {
	o.acted = o.acted || o.status == event.Changed
	o.status, o.msg, o.reason = event.Failed, err.Error(), ""
	o.give("msg", o.msg)
	o.register = o.registered()
	return o
}

// give sets a return value.
func (o *outcome) give(name string, v any) {
	next := maps.Clone(o.values)
	if next == nil {
		next = map[string]any{}
	}
	next[name] = v
	o.values = next
}

func skipped(msg string) outcome {
	out := outcome{status: event.Skipped, msg: msg, values: map[string]any{}}
	out.register = out.registered()
	return out
}
