package inventory

import (
	"cmp"
	"slices"
	"sync"
)

// view is what follows from who names whom. It never changes; a change of the
// inventory drops it and the next reader makes another.
type view struct {
	hosts    map[*Group][]*Host // with those of children
	groupMap map[string][]string
	order    []*Host            // all hosts as they were first named
	groups   map[*Host][]*Group // with ancestors, without "all", least specific first
	byName   map[*Host][]*Group // the same, sorted by name
	layers   sync.Map           // layerKey → []vars.Layer
}

// view gives the present state.
func (inv *Inventory) view() *view {
	if v := inv.seen.Load(); v != nil {
		return v
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.look()
}

// look is view under the lock.
func (inv *Inventory) look() *view {
	if v := inv.seen.Load(); v != nil {
		return v
	}
	inv.settle()
	v := &view{
		hosts:    map[*Group][]*Host{},
		groupMap: map[string][]string{},
		order:    slices.Clone(inv.order),
		groups:   map[*Host][]*Group{},
		byName:   map[*Host][]*Group{},
	}
	place := make(map[*Host]int, len(inv.order))
	for i, h := range inv.order {
		place[h] = i
	}
	for _, g := range inv.gorder {
		v.addGroup(g, place)
	}
	depth := inv.depths()
	for _, h := range inv.order {
		v.addHost(h, depth)
	}
	inv.seen.Store(v)
	return v
}

// settle puts groups without parents into "all" and hosts without groups into
// "ungrouped".
func (inv *Inventory) settle() {
	for _, g := range inv.gorder {
		if g != inv.root && len(g.parents) == 0 {
			link(inv.root, g)
		}
	}
	for _, h := range inv.order {
		named := slices.ContainsFunc(h.groups, func(g *Group) bool { return g != inv.root && g != inv.loose })
		in := slices.Contains(h.groups, inv.loose)
		switch {
		case named && in:
			h.groups = without(h.groups, inv.loose)
			inv.loose.hosts = without(inv.loose.hosts, h)
		case !named && !in:
			enlist(inv.loose, h)
		}
	}
}

func without[T comparable](list []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(e T) bool { return e == one })
}

// depths gives every group's longest way from "all".
func (inv *Inventory) depths() map[*Group]int {
	out := map[*Group]int{}
	var of func(g *Group) int
	of = func(g *Group) int {
		d, ok := out[g]
		if !ok {
			for _, p := range g.parents {
				d = max(d, of(p)+1)
			}
			out[g] = d
		}
		return d
	}
	for _, g := range inv.gorder {
		of(g)
	}
	return out
}

func (v *view) addGroup(g *Group, place map[*Host]int) {
	hosts, seen := []*Host{}, map[*Host]bool{}
	for _, c := range below(g) {
		for _, h := range c.hosts {
			if !seen[h] {
				seen[h] = true
				hosts = append(hosts, h)
			}
		}
	}
	if g.gathered {
		slices.SortFunc(hosts, func(a, b *Host) int { return place[a] - place[b] })
	}
	v.hosts[g] = hosts
	v.groupMap[g.name] = hostNames(hosts)
}

func (v *view) addHost(h *Host, depth map[*Group]int) {
	groups := above(h.groups)
	groups = slices.DeleteFunc(groups, func(g *Group) bool { return g == h.inv.root })
	slices.SortFunc(groups, func(a, b *Group) int {
		return cmp.Or(depth[a]-depth[b], a.priority-b.priority, cmp.Compare(a.name, b.name))
	})
	v.groups[h] = groups
	v.byName[h] = slices.SortedFunc(slices.Values(groups), func(a, b *Group) int { return cmp.Compare(a.name, b.name) })
}

func (v *view) groupsByName(h *Host) []*Group { return v.byName[h] }

func hostNames(hosts []*Host) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = h.name
	}
	return out
}
