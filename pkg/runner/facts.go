package runner

import (
	"context"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/setup"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// gatherFacts runs the setup module, for the subsets the play's templates
// mention; not at all when they mention no fact, or gather_facts is false.
func (h *hostRun) gatherFacts(ctx context.Context, f frame) fate {
	subsets, err := h.batch.factSubsets()
	if err != nil {
		return h.refuse(err)
	}
	if len(subsets) == 0 {
		return goOn
	}
	m, ok := h.batch.registry.Lookup("setup")
	if !ok {
		return goOn
	}
	h.started = true
	got := h.walkAction(ctx, h.batch.factsTask(m, subsets), f)
	h.started = false
	return got
}

// factSubsets are the subsets to gather; empty for none.
func (b *batch) factSubsets() ([]any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subsets == nil {
		list, err := b.subsetsOf(b.play)
		if err != nil {
			return nil, err
		}
		b.subsets = &list
	}
	return *b.subsets, nil
}

func (b *batch) subsetsOf(play *playbook.Play) ([]any, error) {
	c := b.playScope(play)
	explicit := false
	if v := play.GatherFacts; v != nil {
		got, err := v.Eval(c)
		if err != nil {
			return nil, err
		}
		on, err := boolOf(got)
		if err != nil {
			return nil, diag.Errorf(v.Pos(), "gather_facts: %v", err)
		}
		if !on {
			return nil, nil
		}
		explicit = true
	}
	if v := play.GatherSubset; v != nil {
		got, err := v.Eval(c)
		if err != nil {
			return nil, err
		}
		return asList(got), nil
	}
	mentioned := b.factsMentioned(play)
	if slices.Contains(mentioned, "*") || explicit && len(mentioned) == 0 {
		return []any{"all"}, nil
	}
	if len(mentioned) == 0 {
		return nil, nil
	}
	return list(setup.Subsets(mentioned)), nil
}

// factsMentioned counts the play's templates and, because variables are lazy,
// those of the inventory too.
func (b *batch) factsMentioned(play *playbook.Play) []string {
	out := playbook.FactsMentioned(play)
	seen := map[*template.Value]bool{}
	for _, h := range b.inv.Hosts() {
		for _, layer := range b.inv.Layers(h, play.Dir) {
			for _, v := range layer.Vars {
				if v.Value != nil && !seen[v.Value] {
					seen[v.Value] = true
					out = append(out, factsIn(v.Value.Refs())...)
				}
			}
		}
	}
	return out
}

// factsTask is the task "Gathering Facts".
func (b *batch) factsTask(m *modules.Module, subsets []any) *playbook.Task {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gather == nil {
		b.gather = &playbook.Task{
			ID: "facts@" + b.play.Pos.String(), Name: template.Static("Gathering Facts"), Pos: b.play.Pos, Dir: b.play.Dir,
			Action: &playbook.Action{
				Module: m, Name: "setup", Pos: b.play.Pos,
				Args: template.Static(map[string]any{"gather_subset": subsets}),
			},
			AllTags: []string{"always"},
		}
	}
	return b.gather
}

// factsIn lists the facts that references mention; "*" when it cannot be told.
func factsIn(refs []template.Ref) []string {
	var out []string
	for _, r := range refs {
		name, isFact := strings.CutPrefix(r.Path[0], "ansible_")
		switch {
		case !isFact || slices.Contains(playbook.MagicNames, r.Path[0]) && name != "facts":
		case name != "facts":
			out = append(out, name)
		case len(r.Path) > 1:
			out = append(out, r.Path[1])
		default:
			out = append(out, "*")
		}
	}
	return out
}

// refuse tells why the host cannot take part in the play.
func (h *hostRun) refuse(err error) fate {
	h.batch.emitter.emit(event.TaskResult{
		Task: event.TaskRef{ID: "play@" + h.batch.play.Pos.String(), Name: "start of the play", Pos: h.batch.play.Pos},
		Host: h.name(), Status: event.Failed, Msg: err.Error(),
	})
	return hostFailed
}
