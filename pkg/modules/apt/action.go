package apt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/packages"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
)

// blindNote is left where a dry run installs what no list has yet.
const blindNote = "packages not foreseen"

// action is one task.
type action struct {
	*Options
	env modules.Env
	now func() time.Time

	todo       todo
	fetchFirst bool
	said       command.Said
}

// New makes the action of a task; the module package uses it too.
func New(env modules.Env, o *Options) (modules.Action, error) {
	return &action{Options: o, env: env, now: time.Now}, nil
}

// listsOnly tells that nothing but fetching the lists is asked for.
func (a *action) listsOnly() bool {
	return len(a.Name) == 0 && a.Deb == "" && a.upgrading() == "" && !a.Autoremove && !a.Autoclean && a.State != "fixed" && !a.Clean
}

// Plan reads what there is to do.
func (a *action) Plan(ctx context.Context, r host.Reader) (modules.Plan, error) {
	due, last, err := a.due(r)
	if err != nil {
		return modules.Plan{}, err
	}
	a.fetchFirst = due
	if a.todo, err = a.decide(ctx, r, due); err != nil {
		return modules.Plan{}, failure(err)
	}
	if due && a.listsOnly() {
		before := "never"
		if !last.IsZero() {
			before = last.UTC().Format(time.RFC3339)
		}
		a.todo.changes = append(a.todo.changes, modules.Change{Field: "package lists", Before: before, After: "fetched"})
	}
	p := modules.Plan{Changes: a.todo.changes, Values: a.values(false, last)}
	switch {
	case a.todo.unknown != "":
		p.Verdict = modules.Verdict{Kind: modules.Unknown, Reason: a.todo.unknown}
	case len(a.todo.changes) > 0:
		p.Verdict.Kind = modules.WillChange
	default:
		p.Verdict.Kind = modules.NoChange
	}
	return p, nil
}

func (a *action) values(fetched bool, last time.Time) map[string]any {
	v := map[string]any{"cache_updated": fetched, "cache_update_time": 0}
	if !last.IsZero() {
		v["cache_update_time"] = int(last.Unix())
	}
	return v
}

// failure gives an error of apt-get the return values Ansible gives it.
func failure(err error) error {
	var cmd *host.CommandError
	var missing *packages.NotFoundError
	switch {
	case errors.As(err, &missing):
		return &modules.Failure{Msg: err.Error(), Values: map[string]any{"stderr": missing.Said}}
	case errors.As(err, &cmd):
		return &modules.Failure{Msg: err.Error(), Values: map[string]any{
			"rc": cmd.Output.RC, "stdout": command.Text(cmd.Output.Stdout, false), "stderr": command.Text(cmd.Output.Stderr, false),
		}}
	}
	return err
}

// Apply fetches the lists where due, looks again, and lets apt-get do the
// steps.
func (a *action) Apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	fetched := false
	if a.fetchFirst {
		if err := a.fetch(ctx, w); err != nil {
			return modules.Outcome{}, failure(err)
		}
		fetched = true
		if !a.listsOnly() {
			again, err := a.decide(ctx, w, false)
			if err != nil {
				return modules.Outcome{}, failure(err)
			}
			a.todo = again
		}
	}
	if err := a.work(ctx, w); err != nil {
		return modules.Outcome{Values: a.said.Values()}, failure(err)
	}
	last, err := updated(w)
	if err != nil {
		return modules.Outcome{}, err
	}
	vals := a.values(fetched, last)
	for k, v := range a.said.Values() {
		vals[k] = v
	}
	return modules.Outcome{Changed: len(a.todo.changes) > 0, Changes: a.todo.changes, Values: vals}, nil
}

func (a *action) work(ctx context.Context, w host.Writer) (err error) {
	if a.PolicyRCD != nil && len(a.todo.steps) > 0 {
		restore, err := policy(w, *a.PolicyRCD)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, restore()) }()
	}
	for _, s := range a.todo.steps {
		out, err := packages.Apt{Flags: s.flags, OnOutput: a.env.OnOutput}.Commit(ctx, w, s.items, s.verb, s.names...)
		a.said.Add(out)
		if err != nil {
			return err
		}
		s.pretend(w)
	}
	if len(a.todo.mark) > 0 {
		return packages.Mark(ctx, w, a.todo.mark...)
	}
	return nil
}

// pretend notes what Commit cannot know: packages that no list has. Notes do
// nothing on a real host.
func (s step) pretend(w host.Writer) {
	if len(s.blind) > 0 {
		w.Note(blindNote, "", true)
	}
	for _, name := range s.blind {
		name, _, _ = strings.Cut(name, "=")
		name, _, _ = strings.Cut(name, "/")
		packages.PretendInstall(w, name)
	}
}

// fetch updates the lists, trying again after pauses that double.
func (a *action) fetch(ctx context.Context, w host.Writer) error {
	pause := time.Second
	for try := 0; ; try++ {
		out, err := packages.Apt{OnOutput: a.env.OnOutput}.Update(ctx, w, a.flags()...)
		if err == nil {
			a.said.Add(out)
			return touch(w)
		}
		var failed *host.CommandError
		if !errors.As(err, &failed) || try >= a.UpdateCacheRetries {
			return fmt.Errorf("fetch the package lists: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(pause, time.Duration(a.UpdateCacheRetryMax)*time.Second)):
		}
		pause *= 2
	}
}

// touch dates the lists: apt leaves the directory alone when no list was newer.
func touch(w host.Writer) error {
	there, err := host.Exists(w, lists)
	if err != nil || !there {
		return err
	}
	return w.Chtimes(lists, time.Time{}, time.Now())
}

const policyFile = "/usr/sbin/policy-rc.d"

// policy puts a policy-rc.d there and gives a function that restores what was.
func policy(w host.Writer, rc int) (restore func() error, err error) {
	const aside = policyFile + ".foobar-play"
	restore = func() error { return w.Remove(policyFile) }
	switch _, err := w.Lstat(policyFile); {
	case err == nil:
		if err := w.Rename(policyFile, aside); err != nil {
			return nil, err
		}
		restore = func() error { return w.Rename(aside, policyFile) }
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	mode := uint32(0o755)
	return restore, w.WriteFile(policyFile, strings.NewReader(fmt.Sprintf("#!/bin/sh\nexit %d\n", rc)), host.Attrs{Mode: &mode})
}

// Verify reads dpkg's files again.
func (a *action) Verify(_ context.Context, r host.Reader) ([]modules.Change, error) {
	if a.upgrading() != "" || a.Deb != "" || len(a.Name) == 0 {
		return nil, nil
	}
	db, err := packages.Read(r)
	if err != nil {
		return nil, err
	}
	var left []modules.Change
	for _, s := range a.todo.steps {
		for _, wish := range s.names {
			if isPattern.MatchString(wish) {
				continue
			}
			p, ok := met(db, wish)
			switch {
			case s.verb == "install" && !ok:
				left = append(left, modules.Change{Field: wish, Before: version(p.Version), After: "installed"})
			case s.verb == "remove" && p.Installed && p.Name == wish:
				left = append(left, modules.Change{Field: wish, Before: version(p.Version)})
			}
		}
	}
	return left, nil
}
