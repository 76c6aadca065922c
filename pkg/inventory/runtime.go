package inventory

import (
	"slices"

	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// AddHost is what add_host does: it adds the host, or adds groups and
// variables to one that is there. Groups that do not exist are made; without a
// group a new host is ungrouped. The variables are final values (kinds of
// package value), no templates. changed is false when nothing was new.
func (inv *Inventory) AddHost(name string, groups []string, variables map[string]any) (h *Host, changed bool) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	h, changed = inv.hosts[name], false
	if h == nil {
		h, changed = inv.host(name), true
	}
	for _, g := range groups {
		group := inv.group(g)
		group.defined = true
		changed = enlist(group, h) || changed
	}
	fresh := map[string]vars.Var{}
	for k, v := range variables {
		if old, ok := h.vars[k]; ok {
			if was, known := old.Value.Literal(); known && value.Equal(was, v) {
				continue
			}
		}
		fresh[k] = vars.Var{Value: template.Static(v)}
	}
	h.set(fresh)
	changed = changed || len(fresh) > 0
	if changed {
		inv.seen.Store(nil)
	}
	return h, changed
}

// AddToGroup is what group_by does: it puts the host into the group, which is
// made if need be and becomes a child of parents (made likewise; none means
// "all"). A parent that would make a circle is passed over. It reports whether
// anything changed; a host that is not in the inventory (the implied localhost,
// too) changes nothing.
func (inv *Inventory) AddToGroup(host, group string, parents []string) bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	h := inv.hosts[host]
	if h == nil {
		return false
	}
	g := inv.group(group)
	g.defined = true
	changed := enlist(g, h)
	g.gathered, inv.root.gathered = true, true
	for _, p := range parents {
		parent := inv.group(p)
		parent.defined, parent.gathered = true, true
		if !slices.Contains(below(g), parent) {
			changed = link(parent, g) || changed
		}
	}
	if changed {
		inv.seen.Store(nil)
	}
	return changed
}
