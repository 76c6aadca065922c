package haproxy

import (
	"context"
	"fmt"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// action is one task. unit is a second, less in tests.
type action struct {
	*Options
	unit   time.Duration
	socket string
	found  []server
}

// noteKind is the kind of note a dry run leaves of a server it changed.
const noteKind = "haproxy server"

// look reads the servers; in a dry run, as earlier tasks left them.
func (a *action) look(ctx context.Context, r host.Reader) ([]server, error) {
	var err error
	if a.socket, err = findSocket(r, a.Socket); err != nil {
		return nil, err
	}
	list, err := readServers(ctx, a.socket, a.Backend, a.Host)
	if err != nil {
		return nil, err
	}
	for i, s := range list {
		if v, ok := r.Noted(noteKind, a.socket+" "+s.path()); ok {
			if noted, ok := v.(server); ok {
				list[i] = noted
			}
		}
	}
	return list, nil
}

// wanted is the server as the task wants it. Sessions are ended at once only
// when they are not waited for.
func (a *action) wanted(s server) server {
	want := s
	want.admin = a.State
	w, _ := parseWeight(a.Weight) // checked
	want.weight = w.of(s)
	if a.Health {
		want.health = a.State == "enabled"
	}
	if a.Agent {
		want.agent = a.State == "enabled"
	}
	if a.ShutdownSessions && (!a.Drain || s.down()) {
		want.sessions = 0
	}
	return want
}

// step is a difference and the command that removes it.
type step struct {
	modules.Change
	command string
}

// steps lists what is to do: first what brings traffic away or keeps checks
// on, last what brings it back.
func (a *action) steps(s server) []step {
	want := a.wanted(s)
	var out []step
	add := func(differs bool, field string, before, after any, command string) {
		if differs {
			out = append(out, step{modules.Change{Field: s.path() + " " + field, Before: before, After: after}, command})
		}
	}
	verb := "disable "
	if a.State == "enabled" {
		verb = "enable "
	}
	state := map[string]string{"enabled": "ready", "drain": "drain", "disabled": "maint"}[a.State]
	setWeight := fmt.Sprintf("set weight %s %s", s.path(), a.Weight)
	add(s.weight != want.weight, "weight", s.weight, want.weight, setWeight)
	add(s.health != want.health, "health checks", s.health, want.health, verb+"health "+s.path())
	add(s.agent != want.agent, "agent checks", s.agent, want.agent, verb+"agent "+s.path())
	add(s.admin != want.admin, "state", s.admin, want.admin, "set server "+s.path()+" state "+state)
	add(s.sessions != want.sessions, "sessions", s.sessions, want.sessions, "shutdown sessions server "+s.path())
	return out
}

// drains reports whether the task waits for the server's sessions to end.
func (a *action) drains() bool { return a.Drain && a.State != "enabled" }

// empty reports whether nobody has to be waited for.
func empty(s server) bool { return s.sessions == 0 || s.down() }

// settled reports whether there is nothing to wait for.
func (a *action) settled(s server) bool {
	if a.drains() && !empty(s) {
		return false
	}
	return !a.Wait || a.State != "enabled" || s.healthy()
}

func (a *action) plan(ctx context.Context, r host.Reader) (modules.Plan, error) {
	var err error
	if a.found, err = a.look(ctx, r); err != nil {
		return modules.Plan{}, err
	}
	if len(a.found) == 0 && a.FailOnNotFound {
		return modules.Plan{}, a.missing()
	}
	p := modules.Plan{Values: a.values()}
	p.Verdict.Kind = modules.NoChange
	for _, s := range a.found {
		if !a.settled(s) && p.Verdict.Kind == modules.NoChange {
			p.Verdict = modules.Verdict{Kind: modules.Unknown, Reason: "the run waits for " + a.waitsFor(s)}
		}
		for _, st := range a.steps(s) {
			p.Changes = append(p.Changes, st.Change)
			p.Verdict = modules.Verdict{Kind: modules.WillChange}
		}
	}
	if len(a.found) == 0 {
		p.Values["msg"] = a.missing().Error() + "; nothing is done"
	}
	return p, nil
}

func (a *action) missing() error {
	where := "any backend"
	if a.Backend != "" {
		where = "the backend " + a.Backend
	}
	return fmt.Errorf("haproxy has no server %s in %s", a.Host, where)
}

func (a *action) waitsFor(s server) string {
	if a.drains() {
		return fmt.Sprintf("%d sessions of %s to end", s.sessions, s.path())
	}
	return fmt.Sprintf("%s to be healthy: it is %s (%s)", s.path(), s.status, s.check)
}

func (a *action) values() map[string]any {
	servers, commands := []any{}, []any{}
	for _, s := range a.found {
		servers = append(servers, map[string]any{
			"backend": s.backend, "host": s.name, "status": s.status, "state": s.admin, "weight": s.weight, "sessions": s.sessions,
		})
		for _, st := range a.steps(s) {
			commands = append(commands, st.command)
		}
	}
	return map[string]any{"servers": servers, "commands": commands}
}

func (a *action) apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	out := modules.Outcome{}
	for _, s := range a.found {
		steps := a.steps(s)
		out.Changed = out.Changed || len(steps) > 0
		if host.Pretends(w) {
			w.Note(noteKind, a.socket+" "+s.path(), a.pretended(s))
			continue
		}
		if err := a.set(ctx, s, steps); err != nil {
			return out, err
		}
	}
	if host.Pretends(w) {
		return out, nil
	}
	if err := a.await(ctx, func(s server) bool { return a.settled(s) }); err != nil {
		return out, err
	}
	return out, nil
}

// pretended is the server as the run leaves it.
func (a *action) pretended(s server) server {
	s = a.wanted(s)
	if a.drains() {
		s.sessions = 0
	}
	switch a.State {
	case "enabled":
		s.status = "UP"
	case "disabled":
		s.status = "MAINT"
	case "drain":
		s.status = "DRAIN"
	}
	return s
}

// set brings one server where it is wanted. A server that is to be emptied is
// drained first, so that it is not cut off with the sessions it has.
func (a *action) set(ctx context.Context, s server, steps []step) error {
	if a.drains() && !empty(s) {
		if s.admin == "enabled" {
			if err := tell(ctx, a.socket, "set server "+s.path()+" state drain"); err != nil {
				return err
			}
			s.admin = "drain"
			steps = a.steps(s)
		}
		if err := a.empty(ctx, s); err != nil {
			return err
		}
	}
	for _, st := range steps {
		if err := tell(ctx, a.socket, st.command); err != nil {
			return err
		}
	}
	return nil
}

// empty waits until the server has no sessions, and ends those that are left
// when that may be done.
func (a *action) empty(ctx context.Context, s server) error {
	mine := func(now server) bool { return now.path() != s.path() || empty(now) }
	err := a.await(ctx, mine)
	if err == nil || !a.ShutdownSessions || ctx.Err() != nil {
		return err
	}
	if err := tell(ctx, a.socket, "shutdown sessions server "+s.path()); err != nil {
		return err
	}
	return a.await(ctx, mine)
}

// await looks until all servers are as they should be.
func (a *action) await(ctx context.Context, done func(server) bool) error {
	for try := 1; ; try++ {
		left, err := a.left(ctx, done)
		if err != nil || left == nil {
			return err
		}
		if try >= a.WaitRetries {
			return a.tooLong(*left)
		}
		timer := time.NewTimer(time.Duration(a.WaitInterval) * a.unit)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// left is the first server that is not as it should be.
func (a *action) left(ctx context.Context, done func(server) bool) (*server, error) {
	now, err := readServers(ctx, a.socket, a.Backend, a.Host)
	if err != nil {
		return nil, err
	}
	for _, s := range now {
		if !done(s) {
			return &s, nil
		}
	}
	return nil, nil
}

func (a *action) tooLong(s server) error {
	waited := time.Duration(a.WaitInterval*(a.WaitRetries-1)) * time.Second
	if a.drains() {
		hint := "raise wait_retries, or end them with shutdown_sessions"
		if a.ShutdownSessions {
			hint = "haproxy was told to end them"
		}
		return fmt.Errorf("%d sessions are still on %s after %v, which is left in the state %s: %s", s.sessions, s.path(), waited, s.admin, hint)
	}
	return fmt.Errorf("%s is not healthy after %v: it is %s, its last check says: %s", s.path(), waited, s.status, s.check)
}

// verify reads again. Sessions are left out: a drained server may still get
// those that stick to it.
func (a *action) verify(ctx context.Context, r host.Reader) ([]modules.Change, error) {
	now, err := a.look(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []modules.Change
	for _, s := range now {
		s.sessions = 0
		for _, st := range a.steps(s) {
			out = append(out, st.Change)
		}
	}
	return out, nil
}
