package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Result is what a task came to on one host: the agent's answer, or a local
// module's. It travels over the wire.
type Result struct {
	Changed bool
	Skipped bool
	// Unknown is set in a dry run when it cannot be known whether the task
	// would change something: the reason. The task is reported as "maybe".
	Unknown  string
	Msg      string
	Changes  []Change
	Values   map[string]any // return values besides changed and skipped; msg is Msg too
	Facts    map[string]any // becomes ansible_facts
	Warnings []string
	// Effects on the controller's side, of local modules only.
	Effects *Effects `cbor:",omitempty"`
}

// Effects are what a local module asks the engine to do.
type Effects struct {
	// SetVars become host variables with the precedence of set_fact.
	SetVars map[string]any
	// Include become host variables with the precedence of include_vars.
	Include map[string]any
	// AddHosts are added to the inventory in memory.
	AddHosts []AddHost
	// AddGroups puts the current host into these groups (group_by); parents
	// of the new groups in Parents.
	AddGroups []string
	Parents   []string
}

// AddHost is one host that add_host asks for.
type AddHost struct {
	Name   string
	Groups []string
	Vars   map[string]any
}

// Failure is a task that failed for a reason of its own and still has return
// values (rc, stdout …).
type Failure struct {
	Msg    string
	Values map[string]any
}

// Error gives the message.
func (f *Failure) Error() string { return f.Msg }

// DefectError says that a module broke its contract: after Apply the host
// still differs from what was wanted.
type DefectError struct {
	Module  string
	Changes []Change
}

// Error names the module and the first difference.
func (e *DefectError) Error() string {
	c := e.Changes[0]
	return fmt.Sprintf("module %s reported success, but %s is still %v where %v is wanted: this is a defect of the module, please report it",
		e.Module, c.Field, shown(c, c.Before), shown(c, c.After))
}

func shown(c Change, v any) any {
	if c.Sensitive {
		return "(hidden)"
	}
	if s, ok := v.(string); ok && len(s) > 80 {
		return s[:80] + "…"
	}
	return v
}

// Mode says how Execute is to go about an action.
type Mode struct {
	// Check is a dry run: w is then a shadow.
	Check bool
}

// Execute runs an action: Plan, then Apply and Verify where needed. In a dry
// run w must be the host's shadow and nothing real is written. Errors are the
// task's failure; a *Failure carries return values.
func Execute(ctx context.Context, name string, a Action, w host.Writer, mode Mode) (Result, error) {
	plan, err := a.Plan(ctx, readOnly{w})
	if reason, unknown := host.IsUnknown(err); unknown && mode.Check {
		return Result{Unknown: reason}, nil
	}
	if err != nil {
		return Result{}, err
	}
	res := Result{Changes: plan.Changes}
	res.absorb(Outcome{Values: plan.Values})
	if plan.Verdict.Kind == NoChange {
		if r, ok := a.(*reading); ok {
			res.absorb(r.out)
		}
		return res, nil
	}
	if mode.Check {
		return pretend(ctx, a, w, plan, res)
	}
	return apply(ctx, name, a, w, res)
}

// pretend applies to the shadow, so that later tasks see the effect.
func pretend(ctx context.Context, a Action, w host.Writer, plan Plan, res Result) (Result, error) {
	res.Changed = plan.Verdict.Kind == WillChange
	if plan.Verdict.Kind == Unknown {
		res.Unknown = plan.Verdict.Reason
		if res.Unknown == "" {
			res.Unknown = "its effect is known only after the run"
		}
	}
	out, err := a.Apply(ctx, w)
	if reason, unknown := host.IsUnknown(err); unknown {
		if plan.Verdict.Kind == Unknown {
			return res, nil
		}
		// What the task does is certain; what it leaves behind is not.
		res.Warnings = append(res.Warnings, "later tasks may not see its effect in this dry run: "+reason)
		return res, nil
	}
	if err != nil {
		if plan.Verdict.Kind == Unknown {
			return res, nil
		}
		return res, err
	}
	changed, unknown := res.Changed, res.Unknown
	res.absorb(out)
	res.Changed, res.Unknown = changed, unknown
	return res, nil
}

func apply(ctx context.Context, name string, a Action, w host.Writer, res Result) (Result, error) {
	out, err := a.Apply(ctx, w)
	if err != nil {
		var f *Failure
		if errors.As(err, &f) {
			res.absorb(out)
		}
		return res, err
	}
	res.absorb(out)
	res.Changed = out.Changed
	left, err := a.Verify(ctx, readOnly{w})
	if err != nil {
		return res, fmt.Errorf("verify: %w", err)
	}
	if len(left) > 0 {
		return res, &DefectError{Module: name, Changes: left}
	}
	return res, nil
}

func (r *Result) absorb(out Outcome) {
	if r.Values == nil {
		r.Values = map[string]any{}
	}
	maps.Copy(r.Values, out.Values)
	if msg, ok := r.Values["msg"].(string); ok {
		r.Msg = msg
	}
	if out.Changes != nil {
		r.Changes = out.Changes
	}
	if out.Facts != nil {
		r.Facts = out.Facts
	}
	r.Warnings = append(r.Warnings, out.Warnings...)
}

// readOnly hides a Writer's write methods, so that no Plan can reach them by a
// type assertion.
type readOnly struct{ host.Reader }
