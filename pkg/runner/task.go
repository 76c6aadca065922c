package runner

import (
	"context"
	"errors"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// taskRun is one task on one host.
type taskRun struct {
	h     *hostRun
	ctx   context.Context
	task  *playbook.Task
	f     frame // keywords of the task included
	ref   event.TaskRef
	scope *vars.Scope
	due   []notice // of the loop's items that changed something

	// What keywords say, of the whole task or of the item at hand: see begin.
	now     *vars.Scope
	runOnce bool
	check   bool
	diff    bool
	hidden  bool  // no_log
	secret  bool  // no_log held for an item
	badOnce error // run_once cannot be evaluated
	bad     error // a keyword that cannot be evaluated: nothing may run
}

func (h *hostRun) newTaskRun(ctx context.Context, t *playbook.Task, f frame, ref event.TaskRef) *taskRun {
	r := &taskRun{h: h, ctx: ctx, task: t, f: f, ref: ref}
	r.scope = h.batch.taskScope(h, t, f)
	r.now = r.scope
	r.runOnce = r.strictly("run_once", f.keywords.RunOnce, false, false)
	r.badOnce = r.bad
	if t.Loop == nil {
		r.begin(r.scope)
	} else {
		r.check, r.diff = h.batch.req.Check, h.batch.req.Diff
	}
	return r
}

// begin evaluates the keywords that decide how the task runs; with a loop for
// each item, because they may depend on it.
func (r *taskRun) begin(scope *vars.Scope) {
	r.now, r.bad = scope, r.badOnce
	req, k := r.h.batch.req, r.f.keywords
	r.check = r.strictly("check_mode", k.CheckMode, req.Check, true)
	r.diff = r.strictly("diff", k.Diff, req.Diff, false)
	r.hidden = r.strictly("no_log", k.NoLog, false, true)
	r.secret = r.secret || r.hidden
}

func (r *taskRun) context(s *vars.Scope) *template.Context {
	return r.h.batch.context(r.ctx, s, r.task, r.h.batch.play)
}

// strictly evaluates a boolean keyword. One that cannot be evaluated counts as
// safe and keeps the task from running.
func (r *taskRun) strictly(name string, v *template.Value, otherwise, safe bool) bool {
	if v == nil {
		return otherwise
	}
	b, err := r.truth(v)
	if err != nil {
		if _, unknown := host.IsUnknown(err); !unknown && r.bad == nil {
			r.bad = diag.Errorf(v.Pos(), "%s: %v", name, err)
		}
		return safe
	}
	return b
}

// flag evaluates a boolean keyword; false when it is not set or cannot be
// evaluated (then with a message).
func (r *taskRun) flag(name string, v *template.Value) bool {
	if v == nil {
		return false
	}
	b, err := r.truth(v)
	if err != nil {
		r.h.batch.notice(name+": "+err.Error(), v.Pos())
	}
	return b
}

func (r *taskRun) truth(v *template.Value) (bool, error) {
	got, err := v.Eval(r.context(r.now))
	if err != nil {
		return false, err
	}
	return boolOf(got)
}

// run runs the task, its loop included, and emits its results.
func (r *taskRun) run() outcome {
	leave, err := r.throttled()
	if err != nil {
		return r.interrupted()
	}
	defer leave()
	start := time.Now()
	items, reason, err := r.items()
	var out outcome
	switch {
	case err != nil:
		// A loop over something undefined is fine when the task is skipped
		// anyway.
		if hold, unknown, condErr := r.conditions(r.scope); condErr == nil && unknown == "" && !hold {
			out = skipped(conditionFalse)
		} else {
			out = failure(err)
		}
	case reason != "":
		out = maybe("what it loops over is not known: " + reason)
	case items != nil:
		out = r.loop(items)
	default:
		out = r.once(r.scope, nil)
	}
	out.duration = time.Since(start)
	r.judge(&out)
	r.afterwards(&out)
	r.emit(out, nil)
	return out
}

// once runs the task for one item, or without a loop: conditions, retries.
func (r *taskRun) once(scope *vars.Scope, item *event.Item) outcome {
	hold, unknown, err := r.conditions(scope)
	switch {
	case err != nil:
		return failure(err)
	case unknown != "":
		return maybe("whether its condition holds is not known: " + unknown)
	case !hold:
		return skipped(conditionFalse)
	}
	if r.task.Until == nil {
		return r.attempt(scope)
	}
	return r.retry(scope, item)
}

const conditionFalse = "Conditional result was False"

// conditions tests the task's own and inherited conditions. unknown is the
// reason when a dry run cannot tell.
func (r *taskRun) conditions(scope *vars.Scope) (hold bool, unknown string, err error) {
	c := r.context(scope)
	for _, list := range [][]*template.Condition{r.f.when, r.task.When} {
		for _, cond := range list {
			ok, u, err := cond.Test(c)
			if err != nil {
				return false, "", err
			}
			if u.Reason != "" {
				unknown = u.Reason
			} else if !ok {
				return false, "", nil
			}
		}
	}
	return unknown == "", unknown, nil
}

// attempt runs the module once and applies changed_when and failed_when.
func (r *taskRun) attempt(scope *vars.Scope) outcome {
	if r.bad != nil {
		return failure(r.bad)
	}
	ctx, cancel, err := r.deadline(scope)
	if err != nil {
		return failure(err)
	}
	defer cancel()
	out := r.act(ctx, scope)
	if r.ctx.Err() != nil {
		return r.interrupted()
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		out = failure(diag.Errorf(r.task.Pos, "the task did not end within its timeout"))
	}
	return r.rejudge(scope, out)
}

func (r *taskRun) deadline(scope *vars.Scope) (context.Context, context.CancelFunc, error) {
	if r.f.keywords.Timeout == nil {
		return r.ctx, func() {}, nil
	}
	seconds, err := number(r.f.keywords.Timeout, r.context(scope))
	if err != nil || seconds <= 0 {
		return r.ctx, func() {}, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, time.Duration(seconds*float64(time.Second)))
	return ctx, cancel, nil
}

// rejudge applies changed_when and failed_when, in this order, to what the
// module said.
func (r *taskRun) rejudge(scope *vars.Scope, out outcome) outcome {
	if out.status == event.Unreachable || out.status == event.Skipped {
		return out
	}
	for _, apply := range []func(*template.Context, *outcome) error{r.changedWhen, r.failedWhen} {
		seen := scope
		if r.task.Register != "" {
			seen = scope.With(static("result of the task", map[string]any{r.task.Register: out.register}))
		}
		if err := apply(r.context(seen), &out); err != nil {
			return out.fail(err)
		}
		if _, wasMap := out.register.(map[string]any); wasMap {
			out.register = out.registered()
		}
	}
	return out
}

func (r *taskRun) changedWhen(c *template.Context, out *outcome) error {
	if r.task.ChangedWhen == nil {
		return nil
	}
	changed, u, err := r.task.ChangedWhen.Test(c)
	switch {
	case err != nil:
		return err
	case out.status == event.Failed:
		out.acted = changed
	case u.Reason != "":
		out.status, out.reason = event.Maybe, u.Reason
	case changed:
		out.status, out.reason = event.Changed, ""
	default:
		out.status, out.reason, out.changes = event.OK, "", nil
	}
	return nil
}

// failedWhen lets failed_when decide in place of the module. A failure it does
// not count leaves what was done.
func (r *taskRun) failedWhen(c *template.Context, out *outcome) error {
	if r.task.FailedWhen == nil {
		return nil
	}
	failed, u, err := r.task.FailedWhen.Test(c)
	switch {
	case err != nil:
		return err
	case u.Reason != "":
		if out.status == event.Failed {
			out.status, out.reason = event.Maybe, u.Reason
		}
		return nil
	case failed:
		if out.status != event.Failed {
			out.msg = "failed_when holds: " + r.task.FailedWhen.String()
		}
		out.acted = out.acted || out.status == event.Changed
		out.status, out.reason = event.Failed, ""
	case out.status == event.Failed && out.acted:
		out.status, out.msg = event.Changed, ""
	case out.status == event.Failed:
		out.status, out.msg = event.OK, ""
	}
	out.give("failed_when_result", failed)
	return nil
}

// judge decides what a failure means for the host: ignored, rescued.
func (r *taskRun) judge(out *outcome) {
	switch out.status {
	case event.Failed:
		out.ignored = r.flag("ignore_errors", r.f.keywords.IgnoreErrors)
		out.rescued = !out.ignored && r.h.rescuable > 0
	case event.Unreachable:
		out.ignored = r.flag("ignore_unreachable", r.f.keywords.IgnoreUnreachable)
	}
	out.fatal = r.flag("any_errors_fatal", r.f.keywords.AnyErrorsFatal)
	if r.f.maybe != "" && out.status == event.Changed {
		out.status, out.reason = event.Maybe, maybeDue(r.f.maybe)
	}
}

// afterwards notifies handlers, applies effects on the inventory and names the
// facts' owner.
func (r *taskRun) afterwards(out *outcome) {
	out.taskName = r.ref.Name
	if r.task.Loop == nil {
		out.factsTo = r.factsTo(*out)
	}
	due := r.due
	if r.task.Loop == nil {
		due = []notice{{r.scope, out.reason}}
	}
	if r.task.Notify == nil || out.status != event.Changed && out.status != event.Maybe {
		return
	}
	for _, n := range due {
		if err := r.notify(n); err != nil {
			*out = out.fail(err)
			r.judge(out)
			return
		}
	}
}

// factsTo is the host that gets the facts, with delegate_facts: the one that
// did the work. Else it is nil.
func (r *taskRun) factsTo(out outcome) *hostState {
	if out.delegate != "" && r.flag("delegate_facts", r.task.DelegateFacts) {
		return r.h.batch.state(out.delegate)
	}
	return nil
}

// notice is a change that handlers are told of: by the task, or by one item of
// its loop. reason is why it is only maybe one.
type notice struct {
	scope  *vars.Scope
	reason string
}

func (r *taskRun) notify(n notice) error {
	names, err := r.h.notify(r.context(n.scope), r.task.Notify, n.reason)
	if err != nil {
		return err
	}
	for _, name := range names {
		r.h.batch.emitter.emit(event.HandlerNotified{Handler: name, Host: r.h.name()})
	}
	return nil
}

// interrupted is the outcome of a task the run was stopped in.
func (r *taskRun) interrupted() outcome {
	return failure(errors.New("interrupted: the task was under way, its state on the host is not known; the next run will tell"))
}

// emit tells a result: of an item when item is not nil, else the task's own.
func (r *taskRun) emit(out outcome, item *event.Item) {
	ev := event.TaskResult{
		Task: r.ref, Host: r.h.name(), Status: out.status, Item: item, Loop: item == nil && r.task.Loop != nil,
		Msg: out.msg, Reason: out.reason, Warnings: out.warnings, Changes: changesOf(out.changes),
		Values: out.values, Ignored: out.ignored, Rescued: out.rescued, Delegate: out.delegate,
		Attempts: out.attempts, Duration: out.duration, Diff: r.diff,
	}
	if r.hidden || item == nil && r.secret {
		ev.Msg, ev.Changes, ev.Values, ev.Warnings, ev.Censored = "", nil, nil, nil, true
		switch {
		case r.bad != nil && out.status == event.Failed:
			ev.Msg = r.bad.Error() // about a keyword, not about what it hides
		case out.status == event.Failed || out.status == event.Unreachable:
			ev.Msg = "the details are hidden because of no_log"
		}
		if item != nil {
			ev.Item = &event.Item{Index: item.Index, Label: "(item " + itoa(item.Index+1) + ")"}
		}
	}
	r.h.batch.emitter.emit(ev)
}
