package systemd

import (
	"context"
	"errors"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/units"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
)

// action is one task.
type action struct {
	*Options
	scope units.Scope

	unit  units.Unit
	steps []step
}

// step is one thing to do, and the change it makes.
type step struct {
	verb   units.Verb // "" for daemon-reload and daemon-reexec
	do     func(ctx context.Context, w host.Writer) error
	change modules.Change
}

// New makes the action of a task; the module service uses it too.
func New(_ modules.Env, o *Options) (modules.Action, error) {
	return &action{Options: o, scope: units.Scope(o.Scope)}, nil
}

// Plan reads the unit's state and lists the steps.
func (a *action) Plan(ctx context.Context, r host.Reader) (modules.Plan, error) {
	unknown, err := a.plan(ctx, r)
	if err != nil {
		return modules.Plan{}, err
	}
	p := modules.Plan{Values: a.values()}
	for _, s := range a.steps {
		p.Changes = append(p.Changes, s.change)
	}
	switch {
	case len(a.steps) > 0 && (unknown == "" || a.unit.Name != ""):
		p.Verdict.Kind = modules.WillChange
	case unknown != "":
		p.Verdict = modules.Verdict{Kind: modules.Unknown, Reason: unknown}
	default:
		p.Verdict.Kind = modules.NoChange
	}
	return p, nil
}

// plan lists the steps; unknown is why some cannot be known.
func (a *action) plan(ctx context.Context, r host.Reader) (unknown string, err error) {
	a.steps = nil
	if a.DaemonReexec {
		a.add("", modules.Change{Field: "daemon-reexec", Before: false, After: true}, func(ctx context.Context, w host.Writer) error {
			return units.DaemonReexec(ctx, w, a.scope)
		})
	}
	if a.DaemonReload && !a.DaemonReexec && a.scope != units.Global {
		stale, err := units.Stale(ctx, r, a.scope, a.Name)
		if reason, ok := host.IsUnknown(err); ok {
			unknown, err = reason, nil
		}
		if err != nil {
			return "", err
		}
		if stale {
			a.add("", modules.Change{Field: "daemon-reload", Before: false, After: true}, func(ctx context.Context, w host.Writer) error {
				return units.DaemonReload(ctx, w, a.scope)
			})
		}
	}
	if a.Name == "" {
		return unknown, nil
	}
	u, err := units.Lookup(ctx, r, a.scope, a.Name)
	if reason, ok := host.IsUnknown(err); ok {
		a.steps = nil
		return reason, nil
	}
	if err != nil {
		return "", err
	}
	a.unit = u
	return unknown, a.decide(u)
}

func (a *action) add(verb units.Verb, c modules.Change, do func(ctx context.Context, w host.Writer) error) {
	a.steps = append(a.steps, step{verb: verb, change: c, do: do})
}

// decide compares the unit with what is wanted. The order matters: a masked
// unit cannot be started.
func (a *action) decide(u units.Unit) error {
	if !u.Found() && (a.Masked == nil || !*a.Masked) {
		return &modules.Failure{
			Msg:    fmt.Sprintf("Could not find the requested service %s: systemd has no unit of this name, and no package or task before brings one", a.Name),
			Values: map[string]any{"name": a.Name},
		}
	}
	if a.Masked != nil && *a.Masked != u.Masked() {
		a.verb(map[bool]units.Verb{true: units.Mask, false: units.Unmask}[*a.Masked], "masked", u.Masked(), *a.Masked)
		if !*a.Masked {
			u = unmasked(u)
		}
	}
	if a.Enabled != nil {
		is, settable := u.Enabled()
		if settable && is != *a.Enabled {
			a.verb(map[bool]units.Verb{true: units.Enable, false: units.Disable}[*a.Enabled], "enabled", is, *a.Enabled)
		}
	}
	if u.Masked() && a.Masked == nil && (a.State != "" && a.State != "stopped" && !u.Running() || a.Enabled != nil && *a.Enabled) {
		return &modules.Failure{Msg: fmt.Sprintf("%s is masked, so it cannot be started or enabled: unmask it with masked: false", u.Name)}
	}
	switch {
	case a.State == "started" && !u.Running():
		a.verb(units.Start, "state", u.Active, "started")
	case a.State == "stopped" && (u.Running() || u.Active == "deactivating"):
		a.verb(units.Stop, "state", u.Active, "stopped")
	case a.State == "restarted" && u.Running():
		a.verb(units.Restart, "state", u.Active, "restarted")
	case a.State == "reloaded" && u.Running():
		a.verb(units.Reload, "state", u.Active, "reloaded")
	case a.State == "restarted" || a.State == "reloaded":
		a.verb(units.Start, "state", u.Active, "started")
	}
	return nil
}

// unmasked is a masked unit without its mask, whose own file is not known.
func unmasked(u units.Unit) units.Unit {
	u.Load, u.File = "loaded", "disabled"
	return u
}

func (a *action) verb(v units.Verb, field string, before, after any) {
	opts := units.Options{NoBlock: a.NoBlock, Force: a.Force && v == units.Enable}
	if v == units.Enable || v == units.Disable || v == units.Mask || v == units.Unmask {
		opts.NoBlock = false
	}
	a.add(v, modules.Change{Field: field, Before: before, After: after}, func(ctx context.Context, w host.Writer) error {
		return units.Do(ctx, w, a.scope, v, a.Name, opts)
	})
}

func (a *action) values() map[string]any {
	v := map[string]any{}
	if a.Name != "" {
		v["name"] = a.Name
	}
	if a.unit.Name != "" {
		status := map[string]any{}
		for k, p := range a.unit.Properties {
			status[k] = p
		}
		v["status"] = status
	}
	if a.Enabled != nil {
		v["enabled"] = *a.Enabled
	}
	switch a.State {
	case "started", "restarted", "reloaded":
		v["state"] = "started"
	case "stopped":
		v["state"] = "stopped"
	}
	return v
}

// Apply does the steps. When the plan could not know the unit (a dry run), it
// looks again.
func (a *action) Apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	for _, s := range a.steps {
		if err := s.do(ctx, w); err != nil {
			return modules.Outcome{}, a.failure(ctx, w, s, err)
		}
	}
	if len(a.steps) > 0 && !a.NoBlock {
		if err := a.survived(ctx, w); err != nil {
			return modules.Outcome{}, err
		}
	}
	return modules.Outcome{Changed: len(a.steps) > 0, Values: a.values()}, nil
}

// failure says what systemctl said, and what the unit wrote last.
func (a *action) failure(ctx context.Context, r host.Reader, s step, err error) error {
	var failed *host.CommandError
	if !errors.As(err, &failed) {
		return err
	}
	verb := string(s.verb)
	if verb == "" {
		verb = s.change.Field
	}
	msg := fmt.Sprintf("Unable to %s %s: %v", verb, a.Name, err)
	if s.verb == units.Start || s.verb == units.Restart || s.verb == units.Reload {
		if log := units.Log(ctx, r, a.scope, a.Name); log != "" {
			msg += "\nits log ends with:\n" + log
		}
	}
	return &modules.Failure{Msg: msg, Values: map[string]any{
		"name": a.Name, "rc": failed.Output.RC,
		"stdout": command.Text(failed.Output.Stdout, true), "stderr": command.Text(failed.Output.Stderr, true),
	}}
}

// survived looks whether a unit that was started still runs. A oneshot unit
// may be done already.
func (a *action) survived(ctx context.Context, w host.Writer) error {
	if a.Name == "" || a.State == "" || a.State == "stopped" {
		return nil
	}
	u, err := units.Lookup(ctx, w, a.scope, a.Name)
	if err != nil {
		return err
	}
	done := u.Active == "inactive" && u.Type == "oneshot" && u.Result == "success"
	if u.Running() || done {
		return nil
	}
	msg := fmt.Sprintf("%s was started and is %s (%s) again: result %s", u.Name, u.Active, u.Sub, u.Result)
	if log := units.Log(ctx, w, a.scope, a.Name); log != "" {
		msg += "\nits log ends with:\n" + log
	}
	return &modules.Failure{Msg: msg, Values: a.values()}
}

// Verify looks at what lasts: enabled, masked and stopped. That it runs was
// looked at in Apply.
func (a *action) Verify(ctx context.Context, r host.Reader) ([]modules.Change, error) {
	if a.Name == "" || a.NoBlock {
		return nil, nil
	}
	u, err := units.Lookup(ctx, r, a.scope, a.Name)
	if err != nil {
		return nil, err
	}
	var left []modules.Change
	if a.Masked != nil && u.Masked() != *a.Masked {
		left = append(left, modules.Change{Field: "masked", Before: u.Masked(), After: *a.Masked})
	}
	if a.Enabled != nil && !u.Masked() {
		if is, settable := u.Enabled(); settable && is != *a.Enabled {
			left = append(left, modules.Change{Field: "enabled", Before: is, After: *a.Enabled})
		}
	}
	if a.State == "stopped" && u.Running() {
		left = append(left, modules.Change{Field: "state", Before: u.Active, After: "stopped"})
	}
	return left, nil
}
