package runner

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// included is what one pass of an include brought: tasks and their frame.
type included struct {
	label string
	tasks []*playbook.Task
	frame frame
}

// walkInclude resolves include_tasks or include_role for this host and walks
// what it brings.
func (h *hostRun) walkInclude(ctx context.Context, t *playbook.Task, f frame) fate {
	b := h.batch
	g, ref, ok := h.enter(t, f, false)
	if !ok {
		return playOver
	}
	if !b.confirmed(ref) {
		b.strategy.leave(h, g)
		return goOn
	}
	inner := f.withKeywords(t.Keywords)
	run := h.newTaskRun(ctx, t, inner, ref)
	// What is included inherits what is around the include, not the include's
	// own keywords: those for its tasks stand under apply.
	found, out := h.resolve(run, f)
	run.judge(&out)
	run.emit(out, nil)
	b.strategy.leave(h, g)
	if got := h.settle(t, inner, out); got != goOn || out.status != event.OK {
		return got
	}
	for i, inc := range found {
		if got := h.walkTasks(ctx, inc.tasks, inc.frame.withPath(f.at.addNamed(i, inc.label))); got != goOn {
			return got
		}
	}
	return goOn
}

// resolve finds what to include: once, or once an item of the loop.
func (h *hostRun) resolve(run *taskRun, f frame) ([]included, outcome) {
	fail := func(err error) ([]included, outcome) {
		if reason, unknown := host.IsUnknown(err); unknown {
			return nil, outcome{status: event.Maybe, reason: reason}
		}
		return nil, outcome{status: event.Failed, msg: err.Error(), register: map[string]any{"failed": true, "msg": err.Error()}}
	}
	items, reason, err := run.items()
	if err != nil {
		return fail(err)
	}
	if reason != "" {
		return nil, outcome{status: event.Maybe, reason: reason}
	}
	if items == nil {
		items = []loopItem{{scope: run.scope}}
	}
	var out []included
	for _, it := range items {
		hold, unknown, err := run.conditions(it.scope)
		switch {
		case err != nil:
			return fail(err)
		case unknown != "":
			return nil, outcome{status: event.Maybe, reason: unknown}
		case !hold:
			continue
		}
		inc, err := h.include(run, f, it)
		if err != nil {
			return fail(err)
		}
		out = append(out, inc...)
	}
	if len(out) == 0 {
		return nil, outcome{status: event.Skipped, msg: "no item's condition held", register: map[string]any{"skipped": true, "changed": false}}
	}
	return out, outcome{status: event.OK, msg: "included: " + labels(out)}
}

func labels(list []included) string {
	s := ""
	for i, inc := range list {
		if i > 0 {
			s += ", "
		}
		s += filepath.Base(inc.label)
	}
	return s
}

// maxIncludes bounds includes in includes, so that one that includes itself
// without an end is a mistake and not a run without an end.
const maxIncludes = 100

func (h *hostRun) include(run *taskRun, f frame, it loopItem) ([]included, error) {
	t, c := run.task, run.context(it.scope)
	if f.depth++; f.depth > maxIncludes {
		return nil, diag.Errorf(t.Pos, "more than %d includes are inside of one another: does this one include itself?", maxIncludes)
	}
	f = f.asInclude(t, it)
	if t.Include.Kind == playbook.IncludeRole {
		return h.includeRole(run, f, c)
	}
	name, err := text(t.Include.File, c)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, diag.Errorf(t.Include.File.Pos(), "include_tasks: the name of the file is empty")
	}
	path, err := h.batch.loader.FindFile("tasks", name, t, h.batch.play.Dir)
	if err != nil {
		return nil, diag.Errorf(t.Include.File.Pos(), "include_tasks: %v", err)
	}
	tasks, dl := h.batch.loader.Tasks(path, t.Role, t)
	if err := dl.Err(); err != nil {
		return nil, err
	}
	return []included{{label: path, tasks: tasks, frame: f}}, nil
}

// includeRole brings a role, after the roles it depends on.
func (h *hostRun) includeRole(run *taskRun, f frame, c *template.Context) ([]included, error) {
	inc := run.task.Include
	req := playbook.IncludeRoleRequest{PlayDir: h.batch.play.Dir, Parent: run.task}
	for _, x := range []struct {
		dst *string
		v   *template.Value
	}{{&req.Name, inc.File}, {&req.TasksFrom, inc.TasksFrom}, {&req.VarsFrom, inc.VarsFrom}, {&req.DefaultsFrom, inc.DefaultsFrom}, {&req.HandlersFrom, inc.HandlersFrom}} {
		if x.v == nil {
			continue
		}
		var err error
		if *x.dst, err = text(x.v, c); err != nil {
			return nil, err
		}
	}
	uses, dl := h.batch.loader.Role(req)
	if err := dl.Err(); err != nil {
		return nil, err
	}
	var out []included
	for _, use := range uses {
		h.batch.addRoleHandlers(use)
		if run.flag("public", inc.Public) {
			h.includedRoles = append(h.includedRoles, use)
		}
		rf := f.inRole(use)
		if diags := h.checkSpec(use, rf); diags.HasErrors() {
			return nil, fmt.Errorf("role %s: %w", use.Role.Name, diags.Err())
		}
		out = append(out, included{label: use.Role.Name, tasks: use.Role.Tasks, frame: rf})
	}
	return out, nil
}

// asInclude gives included tasks the include's variables, the loop's item, and
// the keywords under apply.
func (f frame) asInclude(t *playbook.Task, it loopItem) frame {
	layers := f.includes[:len(f.includes):len(f.includes)]
	if len(t.Vars) > 0 {
		layers = append(layers, layerOf("vars of the include at "+t.Pos.String(), t.Vars))
	}
	if it.vars != nil {
		m := map[string]vars.Var{}
		for k, v := range it.vars {
			m[k] = vars.Var{Value: template.Static(v)}
		}
		layers = append(layers, layerOf("loop at "+t.Pos.String(), m))
	}
	f.includes = layers
	if a := t.Include.Apply; a != nil {
		f = f.withKeywords(a.Keywords).withWhen(a.When...)
		f.tags = append(f.tags[:len(f.tags):len(f.tags)], a.AllTags...)
		f = f.withBlockVars("apply", t.Pos, a.Vars)
		if a.DelegateTo != nil {
			f.delegate = a.DelegateTo
		}
	}
	return f
}

func text(v *template.Value, c *template.Context) (string, error) {
	got, err := v.Eval(c)
	if err != nil {
		return "", err
	}
	if reason, unknown := isUnknown(got); unknown {
		return "", &host.UnknownError{Reason: reason}
	}
	return value.Text(got), nil
}

// boolOf reads a keyword that is true or false.
func boolOf(v any) (bool, error) {
	switch x := v.(type) {
	case value.Unknown:
		return false, &host.UnknownError{Reason: x.Reason}
	case []any, map[string]any:
		return false, fmt.Errorf("must be true or false, found %s", value.Kind(v))
	}
	return value.Bool(v)
}

func layerOf(name string, m map[string]vars.Var) vars.Layer { return vars.Layer{Name: name, Vars: m} }
