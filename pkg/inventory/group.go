package inventory

import (
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Group is a named set of hosts and of other groups.
type Group struct {
	inv      *Inventory
	name     string
	pos      diag.Pos
	defined  bool // by more than being named as a child
	parents  []*Group
	children []*Group
	hosts    []*Host // named by the group itself
	vars     map[string]vars.Var
	priority int // ansible_group_priority
	// gathered: hosts came by group_by, many at the same time, so that only the
	// inventory's order is one.
	gathered bool
}

// Name is the group's name.
func (g *Group) Name() string { return g.name }

// String is Name, for messages.
func (g *Group) String() string { return g.name }

// Hosts lists the group's hosts, then those of its children, level by level,
// each once.
func (g *Group) Hosts() []*Host { return slices.Clone(g.inv.view().hosts[g]) }

// Children lists the groups directly inside.
func (g *Group) Children() []*Group {
	g.inv.mu.Lock()
	defer g.inv.mu.Unlock()
	return slices.Clone(g.children)
}

// Pos is where the inventory names the group first; zero for "all",
// "ungrouped" and groups made at run time.
func (g *Group) Pos() diag.Pos { return g.pos }

// Priority is ansible_group_priority, 1 when not set: among groups of the same
// depth the higher one's variables win.
func (g *Group) Priority() int { return g.priority }

// link makes child a child of parent; false when it was one.
func link(parent, child *Group) bool {
	if slices.Contains(parent.children, child) {
		return false
	}
	parent.children = append(parent.children, child)
	child.parents = append(child.parents, parent)
	return true
}

// enlist makes h a host of g itself; false when it was one.
func enlist(g *Group, h *Host) bool {
	if slices.Contains(h.groups, g) {
		return false
	}
	g.hosts = append(g.hosts, h)
	h.groups = append(h.groups, g)
	return true
}

// reaches reports whether target is g or anywhere below it.
func (g *Group) reaches(target *Group) bool { return slices.Contains(below(g), target) }

// below lists g and what is inside, level by level, each once.
func below(g *Group) []*Group {
	return closure([]*Group{g}, func(g *Group) []*Group { return g.children })
}

// above lists the groups given and those around them, each once.
func above(groups []*Group) []*Group {
	return closure(groups, func(g *Group) []*Group { return g.parents })
}

func closure(from []*Group, next func(*Group) []*Group) []*Group {
	out, seen := slices.Clone(from), map[*Group]bool{}
	for _, g := range from {
		seen[g] = true
	}
	for i := 0; i < len(out); i++ {
		for _, n := range next(out[i]) {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}
