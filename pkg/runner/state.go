package runner

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/inventory"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// hostState is what a run knows of a host, over all its plays. Other hosts
// read it (hostvars, delegate_facts), so everything goes through the lock.
type hostState struct {
	inv *inventory.Host

	mu       sync.RWMutex
	facts    map[string]any // ansible_facts
	set      map[string]any // set_fact and register
	included map[string]any // include_vars
	// lost: unreachable, or failed in an earlier play: no more plays.
	lost bool
	// vague: a dry run could not include something that may set any variable;
	// the reason.
	vague string
}

func newHostState(h *inventory.Host) *hostState {
	return &hostState{inv: h, facts: map[string]any{}, set: map[string]any{}, included: map[string]any{}}
}

func (s *hostState) name() string { return s.inv.Name() }

// The maps are replaced, never changed, so that readers need no copy.
func (s *hostState) setVar(name string, v any) { s.setVars(map[string]any{name: v}) }

func (s *hostState) setVars(m map[string]any) { s.update(&s.set, m) }

func (s *hostState) includeVars(m map[string]any) { s.update(&s.included, m) }

func (s *hostState) addFacts(m map[string]any) { s.update(&s.facts, m) }

func (s *hostState) update(dst *map[string]any, m map[string]any) {
	if len(m) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*dst)
	maps.Copy(next, m)
	*dst = next
}

func (s *hostState) clearFacts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = map[string]any{}
}

func (s *hostState) get(which *map[string]any, name string) (any, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := (*which)[name]
	return v, ok
}

func (s *hostState) allFacts() map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.facts
}

func (s *hostState) isLost() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lost
}

func (s *hostState) setVague(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vague = reason
}

// undefined stands below all variables: in a dry run, what nothing defines may
// be defined by what could not be included.
func (s *hostState) undefined(name string) (any, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.vague == "" || strings.HasPrefix(name, "ansible_") || slices.Contains(playbook.MagicNames, name) {
		return nil, false, nil
	}
	return value.Unknown{Reason: s.vague}, true, nil
}

func (s *hostState) setLost(lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = lost
}

// hostRun is one host's way through one batch of a play. It belongs to the
// host's goroutine.
type hostRun struct {
	*hostState
	batch *batch
	index int // in the batch, for a stable order

	// notified handlers, by identity; the value is the reason why it is only
	// maybe due ("" when it is certain).
	notified map[*playbook.Task]string
	// rolesDone are the roles already run on this host, for allow_duplicates.
	rolesDone map[string]bool
	// started is false until --start-at-task is met.
	started bool
	// fatal: what the host failed with is fatal for all (any_errors_fatal).
	fatal bool
	// depth of rescue-able blocks around the current task.
	rescuable int
	// extra handlers and role vars brought by include_role.
	includedRoles []*playbook.RoleUse
	// varsFiles are the play's vars_files as this host has them.
	varsFiles []vars.Layer
}

func sortHosts(hosts []*hostRun) {
	slices.SortFunc(hosts, func(a, b *hostRun) int { return cmp.Compare(a.index, b.index) })
}

// frame is what a task inherits from where it stands: keywords, variables of
// blocks and includes, conditions of dynamic includes. Frames are immutable;
// with... make the next.
type frame struct {
	at       path
	keywords playbook.Keywords
	role     *playbook.RoleUse
	// static: the role's tasks get defaults and vars from the use in roles:.
	blockVars  []vars.Layer
	roleParams []vars.Layer
	includes   []vars.Layer // include parameters
	when       []*template.Condition
	tags       []string
	delegate   *template.Value
	roleNames  []string // of the roles around, outermost first
	handler    bool
	maybe      string // why a handler is only maybe due
	depth      int    // of includes in includes
}

func (f frame) withPath(at path) frame { f.at = at; return f }

func (f frame) withKeywords(k playbook.Keywords) frame {
	f.keywords = inherit(k, f.keywords)
	return f
}

func (f frame) withBlockVars(name string, pos diag.Pos, m map[string]vars.Var) frame {
	if len(m) > 0 {
		f.blockVars = append(slices.Clip(f.blockVars), vars.Layer{Name: name + " at " + pos.String(), Vars: m})
	}
	return f
}

func (f frame) withWhen(c ...*template.Condition) frame {
	f.when = append(slices.Clip(f.when), c...)
	return f
}

// inherit lays inner keywords over outer ones. Environments add up, the inner
// one last.
func inherit(inner, outer playbook.Keywords) playbook.Keywords {
	pick := func(dst **template.Value, from *template.Value) {
		if *dst == nil {
			*dst = from
		}
	}
	pick(&inner.Become, outer.Become)
	pick(&inner.BecomeUser, outer.BecomeUser)
	pick(&inner.BecomeMethod, outer.BecomeMethod)
	pick(&inner.BecomeFlags, outer.BecomeFlags)
	pick(&inner.BecomeExe, outer.BecomeExe)
	pick(&inner.Connection, outer.Connection)
	pick(&inner.RemoteUser, outer.RemoteUser)
	pick(&inner.Port, outer.Port)
	pick(&inner.NoLog, outer.NoLog)
	pick(&inner.IgnoreErrors, outer.IgnoreErrors)
	pick(&inner.IgnoreUnreachable, outer.IgnoreUnreachable)
	pick(&inner.CheckMode, outer.CheckMode)
	pick(&inner.Diff, outer.Diff)
	pick(&inner.RunOnce, outer.RunOnce)
	pick(&inner.Throttle, outer.Throttle)
	pick(&inner.Timeout, outer.Timeout)
	pick(&inner.ModuleDefaults, outer.ModuleDefaults)
	pick(&inner.AnyErrorsFatal, outer.AnyErrorsFatal)
	inner.Environment = append(slices.Clip(outer.Environment), inner.Environment...)
	return inner
}
