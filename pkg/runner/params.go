package runner

import (
	"context"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// checkParameters checks, before any host is contacted, the parameters of
// every play's roles as each host has them. What only the run can tell (facts,
// what tasks set) passes here and is checked when the role begins.
func (s *session) checkParameters(ctx context.Context, l *diag.List) {
	for _, pb := range s.playbooks {
		for _, play := range pb.Plays {
			if !hasSpecs(play) {
				continue
			}
			hosts, err := s.playHosts(play)
			if err != nil {
				continue // found before
			}
			b := &batch{session: s, play: play, notices: map[string]bool{}}
			for _, h := range hosts {
				b.take([]*hostState{s.state(h.Name())})
			}
			later := setLater(pb)
			for _, h := range b.hosts {
				h.checkAhead(ctx, later, l)
			}
		}
	}
}

func hasSpecs(play *playbook.Play) bool {
	return slices.ContainsFunc(slices.Concat(play.Roles, play.Imported), func(use *playbook.RoleUse) bool {
		return use.Role.ArgSpecs[use.Entry] != nil
	})
}

// setLater tells which variables tasks may set.
func setLater(pb *playbook.Playbook) func(name string) bool {
	names := map[string]bool{}
	open := false
	for _, play := range pb.Plays {
		playbook.Walk(play, func(t *playbook.Task) {
			names[t.Register] = true
			switch {
			case t.Include != nil:
				open = true
			case t.Action != nil && t.Action.Module.Name == "include_vars":
				open = true
			case t.Action != nil && t.Action.Module.Name == "set_fact" && t.Action.Args != nil:
				for _, f := range t.Action.Args.Fields() {
					names[f.Name] = true
				}
			}
		})
	}
	return func(name string) bool { return open || names[name] }
}

func (h *hostRun) checkAhead(ctx context.Context, later func(string) bool, l *diag.List) {
	root := frame{keywords: h.batch.play.Keywords}
	if h.loadVarsFiles(ctx, root) != nil {
		return // its name may depend on facts; the run will tell
	}
	for _, use := range slices.Concat(h.batch.play.Roles, h.batch.play.Imported) {
		if len(use.When) > 0 {
			continue // it may not run on this host at all
		}
		get := h.batch.taskScope(h, &playbook.Task{Role: use.Role, Pos: use.Pos}, root.inRole(use)).Lookup
		h.validate(use, l, func(name string) (any, bool, error) {
			v, ok, err := get(name)
			if err != nil || !ok && later(name) {
				return value.Unknown{Reason: "known in the run"}, true, nil
			}
			return v, ok, nil
		})
	}
}

// checkSpec checks the role's parameters as the host has them when it begins.
func (h *hostRun) checkSpec(use *playbook.RoleUse, f frame) diag.List {
	var l diag.List
	h.validate(use, &l, h.batch.taskScope(h, &playbook.Task{Role: use.Role, Pos: use.Pos}, f).Lookup)
	return l
}

func (h *hostRun) validate(use *playbook.RoleUse, l *diag.List, get func(string) (any, bool, error)) {
	if spec := use.Role.ArgSpecs[use.Entry]; spec != nil {
		l.Merge(spec.Validate(use.Role.Name, use.Pos, get))
	}
}
