package runner

import (
	"context"
	"errors"
	"maps"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// act runs the task's module once: options, preparation on the controller, the
// module itself, what follows on the controller.
func (r *taskRun) act(ctx context.Context, scope *vars.Scope) outcome {
	m := r.task.Action.Module
	args, err := r.args(scope)
	if err != nil {
		return failure(err)
	}
	r.hideSecrets(m, args)
	target, err := r.target(scope)
	if err != nil {
		return failure(err)
	}
	ctl := &controller{run: r, scope: scope, target: target}
	if !m.IsLocal() {
		if reason, unknown := isUnknown(args); unknown {
			return r.named(maybe("an option is not known: "+reason), target)
		}
	}
	res, err := r.dispatch(ctx, m, args, ctl)
	if reason, unknown := host.IsUnknown(err); unknown && r.check {
		return r.named(maybe(reason), target)
	}
	if reason, unknown := isUnknown(args); unknown && err != nil && !errors.As(err, new(*modules.Failure)) {
		return r.named(maybe("an option is not known: "+reason), target)
	}
	out := r.named(fromResult(res, err), target)
	if out.status == event.Maybe {
		out.spreadUnknown(m)
	}
	if out.effects != nil {
		r.applyEffects(&out)
	}
	return out
}

func (r *taskRun) dispatch(ctx context.Context, m *modules.Module, args map[string]any, ctl *controller) (modules.Result, error) {
	if m.IsLocal() {
		return m.RunLocal(ctx, ctl, args)
	}
	sent, err := m.Prepare(ctx, ctl, args)
	if err != nil {
		return modules.Result{}, err
	}
	res, err := r.send(ctx, m.Name, sent, ctl)
	if err != nil {
		return res, err
	}
	return res, m.Finish(ctx, ctl, args, &res)
}

// send runs a module on the task's target.
func (r *taskRun) send(ctx context.Context, module string, args map[string]any, ctl *controller) (modules.Result, error) {
	env, err := r.environment(ctl.scope)
	if err != nil {
		return modules.Result{}, err
	}
	req := agent.Request{Module: module, Args: args, Check: r.check, Diff: r.diff, Env: env}
	if r.check {
		return r.h.batch.pool.rehearse(ctx, ctl.target, req, r.output)
	}
	ex, err := r.h.batch.pool.executor(ctx, ctl.target)
	if err != nil {
		return modules.Result{}, err
	}
	return ex.Do(ctx, req, r.output)
}

func (r *taskRun) output(stream string, chunk []byte) {
	if r.h.batch.req.Verbosity < 1 || r.hidden {
		return
	}
	r.h.batch.emitter.emit(event.TaskOutput{Task: r.ref, Host: r.h.name(), Stream: stream, Data: string(chunk)})
}

// args evaluates the module's options. Options that hold conditions or
// expressions are handed over as written; the module asks for their value.
func (r *taskRun) args(scope *vars.Scope) (map[string]any, error) {
	a, c := r.task.Action, r.context(scope)
	out, err := r.moduleDefaults(c)
	if err != nil {
		return nil, err
	}
	if a.Args == nil {
		return out, nil
	}
	fields := a.Args.Fields()
	if fields == nil {
		v, err := a.Args.Eval(c)
		if err != nil {
			return nil, err
		}
		m, ok := v.(map[string]any)
		if !ok && v != nil {
			return nil, diag.Errorf(a.Args.Pos(), "the options must be a map, found %s", value.Kind(v))
		}
		maps.Copy(out, m)
		return out, nil
	}
	for _, f := range fields {
		v, err := evalOption(a.Module, f, c)
		if err != nil {
			return nil, err
		}
		if v != template.Omit {
			out[f.Name] = v
		} else {
			delete(out, f.Name)
		}
	}
	return out, nil
}

func evalOption(m *modules.Module, f template.Field, c *template.Context) (any, error) {
	if o, ok := m.Option(f.Name); ok && (o.Type == "condition" || o.Type == "expression") {
		return f.Value.Node().Value(), nil
	}
	v, err := f.Value.Eval(c)
	if err != nil {
		return nil, err
	}
	return withoutOmitted(v), nil
}

// withoutOmitted drops what is Omit inside lists and maps.
func withoutOmitted(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, 0, len(x))
		for _, e := range x {
			if e != template.Omit {
				out = append(out, withoutOmitted(e))
			}
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			if e != template.Omit {
				out[k] = withoutOmitted(e)
			}
		}
		return out
	}
	return v
}

func (r *taskRun) moduleDefaults(c *template.Context) (map[string]any, error) {
	out := map[string]any{}
	if r.f.keywords.ModuleDefaults == nil {
		return out, nil
	}
	v, err := r.f.keywords.ModuleDefaults.Eval(c)
	if err != nil {
		return nil, err
	}
	all, _ := v.(map[string]any)
	for name, d := range all {
		m, ok := r.h.batch.registry.Lookup(name)
		if set, isMap := d.(map[string]any); ok && isMap && m == r.task.Action.Module {
			maps.Copy(out, set)
		}
	}
	return out, nil
}

// hideSecrets has the values of secret options masked from here on.
func (r *taskRun) hideSecrets(m *modules.Module, args map[string]any) {
	hide(m.Options(), args, r.h.batch.mask)
}

func hide(options []modules.Option, args map[string]any, mask *masker) {
	for _, o := range options {
		for _, name := range append([]string{o.Name}, o.Aliases...) {
			v, ok := args[name]
			switch {
			case !ok:
			case o.Secret:
				mask.addValue(v)
			case len(o.Sub) > 0:
				for _, e := range asList(v) {
					if sub, isMap := e.(map[string]any); isMap {
						hide(o.Sub, sub, mask)
					}
				}
			}
		}
	}
}

func asList(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// environment evaluates environment: of play, blocks and task, the innermost
// winning.
func (r *taskRun) environment(scope *vars.Scope) (map[string]string, error) {
	if len(r.f.keywords.Environment) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, v := range r.f.keywords.Environment {
		got, err := v.Eval(r.context(scope))
		if err != nil {
			return nil, err
		}
		if u, unknown := got.(value.Unknown); unknown {
			return nil, &host.UnknownError{Reason: u.Reason}
		}
		for _, e := range asList(got) {
			m, ok := e.(map[string]any)
			if !ok {
				return nil, diag.Errorf(v.Pos(), "environment must be a map, found %s", value.Kind(e))
			}
			for k, x := range m {
				if _, unknown := isUnknown(x); !unknown && x != template.Omit {
					out[k] = value.Text(x)
				}
			}
		}
	}
	return out, nil
}

func (r *taskRun) named(out outcome, t target) outcome {
	if t.delegated {
		out.delegate = t.host.name()
	}
	return out
}

// applyEffects changes the inventory in memory as add_host and group_by ask.
func (r *taskRun) applyEffects(out *outcome) {
	e, inv, changed := out.effects, r.h.batch.inv, false
	for _, a := range e.AddHosts {
		_, c := inv.AddHost(a.Name, a.Groups, a.Vars)
		changed = changed || c
	}
	for _, g := range e.AddGroups {
		if inv.AddToGroup(r.h.name(), g, e.Parents) {
			changed = true
		}
	}
	if len(e.AddHosts)+len(e.AddGroups) > 0 && out.status != event.Failed {
		out.status = event.OK
		if changed {
			out.status = event.Changed
		}
		out.register = out.registered()
	}
}
