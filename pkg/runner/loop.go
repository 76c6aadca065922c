package runner

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// loopItem is one turn of a loop: its variables, laid over the task's.
type loopItem struct {
	item  any
	vars  map[string]any
	scope *vars.Scope
}

// items evaluates the task's loop. nil without a loop; reason is set when a
// dry run cannot know the list.
func (r *taskRun) items() (list []loopItem, reason string, err error) {
	l := r.task.Loop
	if l == nil {
		return nil, "", nil
	}
	v, err := l.Items.Eval(r.context(r.scope))
	if err != nil {
		return nil, "", err
	}
	if u, ok := v.(value.Unknown); ok {
		return nil, u.Reason, nil
	}
	elems, err := elements(v, l.Flatten, l.Dict)
	if err != nil {
		return nil, "", diag.Errorf(l.Pos, "loop: %v", err)
	}
	list = make([]loopItem, len(elems))
	for i, e := range elems {
		m := map[string]any{l.Var: e, "ansible_loop_var": l.Var}
		if l.IndexVar != "" {
			m[l.IndexVar] = i
			m["ansible_index_var"] = l.IndexVar
		}
		if l.Extended {
			m["ansible_loop"] = extended(elems, i)
		}
		list[i] = loopItem{item: e, vars: m, scope: r.scope.With(static("loop", m))}
	}
	return list, "", nil
}

func elements(v any, flatten, dict bool) ([]any, error) {
	if dict {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("with_dict needs a map, found %s", value.Kind(v))
		}
		out := []any{}
		for _, k := range value.Keys(m) {
			out = append(out, map[string]any{"key": k, "value": m[k]})
		}
		return out, nil
	}
	list, ok := v.([]any)
	if !ok {
		if m, isMap := v.(map[string]any); isMap && flatten {
			for _, k := range value.Keys(m) { // as Ansible does
				list = append(list, k)
			}
			return list, nil
		}
		if flatten {
			return []any{v}, nil
		}
		if m, isMap := v.(map[string]any); isMap {
			return nil, fmt.Errorf("needs a list, found a map of %d keys; use `.x | dict2items`", len(m))
		}
		return nil, fmt.Errorf("needs a list, found %s", value.Kind(v))
	}
	if !flatten {
		return list, nil
	}
	out := []any{}
	for _, e := range list {
		if inner, ok := e.([]any); ok {
			out = append(out, inner...)
		} else {
			out = append(out, e)
		}
	}
	return out, nil
}

// extended is the variable ansible_loop of loop_control.extended.
func extended(all []any, i int) map[string]any {
	m := map[string]any{
		"allitems": all, "index": i + 1, "index0": i, "length": len(all),
		"revindex": len(all) - i, "revindex0": len(all) - i - 1,
		"first": i == 0, "last": i == len(all)-1,
	}
	if i > 0 {
		m["previtem"] = all[i-1]
	}
	if i+1 < len(all) {
		m["nextitem"] = all[i+1]
	}
	return m
}

func static(name string, m map[string]any) vars.Layer {
	out := make(map[string]vars.Var, len(m))
	for k, v := range m {
		out[k] = vars.Var{Value: template.Static(v)}
	}
	return vars.Layer{Name: name, Vars: out}
}

// loop runs every item and folds their outcomes into the task's.
func (r *taskRun) loop(items []loopItem) outcome {
	if len(items) == 0 {
		out := skipped("No items in the list")
		out.register = map[string]any{"changed": false, "skipped": true, "results": []any{}, "skipped_reason": "No items in the list"}
		return out
	}
	fold := loopFold{total: outcome{status: event.Skipped, setVars: map[string]any{}, facts: map[string]any{}, include: map[string]any{}}}
	for i, it := range items {
		if i > 0 && !r.pause(r.task.Loop.Pause, it.scope) {
			return r.interrupted()
		}
		r.begin(it.scope)
		label, err := r.label(it)
		if err != nil {
			return failure(err)
		}
		ev := &event.Item{Index: i, Label: label}
		start := time.Now()
		out := r.once(it.scope, ev)
		out.duration = time.Since(start)
		r.judge(&out)
		r.keep(&out)
		r.emit(out, ev)
		if out.status == event.Changed || out.status == event.Maybe {
			r.due = append(r.due, notice{it.scope, out.reason})
		}
		fold.add(out, it.vars)
		if out.status == event.Unreachable || r.ctx.Err() != nil || r.h.batch.stopped() {
			break
		}
	}
	r.now = r.scope
	return fold.done()
}

// keep takes over what an item left, so that later ones see it. What belongs to
// the host stays in the outcome: under run_once it is for the others too.
func (r *taskRun) keep(out *outcome) {
	if to := r.factsTo(*out); to != nil {
		to.addFacts(out.facts)
		to.setVars(out.setVars)
		out.facts, out.setVars = nil, nil
		return
	}
	r.h.addFacts(out.facts)
	r.h.setVars(out.setVars)
}

func (r *taskRun) label(it loopItem) (string, error) {
	if r.task.Loop.Label == nil {
		return value.Text(it.item), nil
	}
	got, err := r.task.Loop.Label.Eval(r.context(it.scope))
	return value.Text(got), err
}

// loopFold adds up the items' outcomes.
type loopFold struct {
	total   outcome
	results []any
	failed  int
	first   string // what the first failure said
}

// add takes the outcome of the item with these variables.
func (f *loopFold) add(out outcome, vars map[string]any) {
	if m, ok := out.register.(map[string]any); ok {
		maps.Copy(m, vars)
		f.results = append(f.results, m)
	} else {
		f.results = append(f.results, out.register)
	}
	t := &f.total
	maps.Copy(t.facts, out.facts)
	maps.Copy(t.setVars, out.setVars)
	maps.Copy(t.include, out.include)
	if len(f.results) == 1 {
		t.delegate = out.delegate
	} else if t.delegate != out.delegate {
		t.delegate = ""
	}
	t.acted = t.acted || out.acted || out.status == event.Changed
	if out.status == event.Failed || out.status == event.Unreachable {
		f.failed++
		if f.first == "" {
			f.first = out.msg
		}
	}
	if rank(out.status) > rank(t.status) {
		t.status, t.reason = out.status, out.reason
		if out.status == event.Unreachable {
			t.msg = out.msg
		}
	}
}

// rank orders statuses by what weighs most for the whole loop.
func rank(s event.Status) int {
	switch s {
	case event.Skipped:
		return 0
	case event.OK:
		return 1
	case event.Maybe:
		return 2
	case event.Changed:
		return 3
	case event.Failed:
		return 4
	}
	return 5
}

func (f *loopFold) done() outcome {
	t := f.total
	switch {
	case t.status == event.Failed:
		t.msg = "One or more items failed"
	case t.status == event.Skipped:
		t.msg = "All items skipped"
	case t.msg == "":
		t.msg = "All items completed"
	}
	t.values = map[string]any{"results": f.results, "msg": t.msg}
	t.register = t.registered()
	if t.status == event.Failed {
		t.msg = fmt.Sprintf("%d of %d items failed; the first: %s", f.failed, len(f.results), f.first)
	}
	return t
}

// retry attempts the task until its condition holds.
func (r *taskRun) retry(scope *vars.Scope, item *event.Item) outcome {
	c := r.context(scope)
	retries, err := numberOr(r.task.Retries, c, 3)
	if err != nil {
		return failure(err)
	}
	delay, err := numberOr(r.task.Delay, c, 5)
	if err != nil {
		return failure(err)
	}
	for n := 1; ; n++ {
		out := r.attempt(scope)
		out.attempts = n
		if m, ok := out.register.(map[string]any); ok {
			m["attempts"] = n
		}
		done, stop := r.settled(scope, &out)
		if done || stop || r.ctx.Err() != nil || r.h.batch.stopped() {
			return out
		}
		if n > int(retries) {
			return r.exhausted(out)
		}
		wait := time.Duration(delay * float64(time.Second))
		r.h.batch.emitter.emit(event.TaskRetry{Task: r.ref, Host: r.h.name(), Attempt: n, Retries: int(retries), Delay: wait, Item: item})
		if !r.sleep(wait) {
			return r.interrupted()
		}
	}
}

// exhausted is the outcome when until never held. As in Ansible, failed_when has
// the last word on whether that fails the task; what is registered counts as
// failed either way.
func (r *taskRun) exhausted(out outcome) outcome {
	out.acted = out.acted || out.status == event.Changed
	if r.task.FailedWhen == nil {
		out.status = event.Failed
		if out.msg == "" {
			out.msg = fmt.Sprintf("until did not hold after %d attempts: %s", out.attempts, r.task.Until)
		}
	}
	result := out.registered()
	result["failed"] = true
	out.register = result
	return out
}

// settled tests until. stop is true when trying again makes no sense.
func (r *taskRun) settled(scope *vars.Scope, out *outcome) (done, stop bool) {
	if out.status == event.Unreachable || out.status == event.Skipped {
		return false, true
	}
	if r.task.Register != "" {
		scope = scope.With(static("result of the task", map[string]any{r.task.Register: out.register}))
	}
	ok, u, err := r.task.Until.Test(r.context(scope))
	switch {
	case err != nil:
		*out = failure(err)
		return false, true
	case u.Reason != "":
		if out.status != event.Failed {
			out.status, out.reason = event.Maybe, u.Reason
		}
		return false, true
	case r.check && !ok && out.status == event.Maybe:
		return false, true
	}
	return ok, false
}

func (r *taskRun) pause(v *template.Value, scope *vars.Scope) bool {
	if v == nil || r.check {
		return true
	}
	seconds, err := number(v, r.context(scope))
	if err != nil {
		return true
	}
	return r.sleep(time.Duration(seconds * float64(time.Second)))
}

// sleep waits; false when the run is being stopped.
func (r *taskRun) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.ctx.Done():
	case <-r.h.batch.stopping:
	}
	return false
}

func number(v *template.Value, c *template.Context) (float64, error) {
	got, err := v.Eval(c)
	if err != nil {
		return 0, err
	}
	if reason, unknown := isUnknown(got); unknown {
		return 0, &host.UnknownError{Reason: reason}
	}
	if f, ok := value.Float(got); ok {
		return f, nil
	}
	f, err := strconv.ParseFloat(value.Text(got), 64)
	if err != nil {
		return 0, diag.Errorf(v.Pos(), "expected a number, found %q", value.Text(got))
	}
	return f, nil
}

func numberOr(v *template.Value, c *template.Context, otherwise float64) (float64, error) {
	if v == nil {
		return otherwise, nil
	}
	return number(v, c)
}

func itoa(n int) string { return strconv.Itoa(n) }
