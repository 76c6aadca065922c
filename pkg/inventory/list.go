package inventory

import (
	"maps"

	"github.com/foobar-play/foobar-play/pkg/vars"
)

// JSON gives the inventory in the form that inventory scripts print and
// `ansible-inventory --list` shows: every group with its own hosts and
// children, and under _meta.hostvars each host's variables from the inventory
// and the files beside it, templates as they are written. Passwords are not
// masked.
func (inv *Inventory) JSON() any {
	hostVars := map[string]any{}
	for _, h := range inv.Hosts() {
		if v := inv.rawVars(h); len(v) > 0 {
			hostVars[h.name] = v
		}
	}
	out := map[string]any{"_meta": map[string]any{"hostvars": hostVars}}
	inv.view() // settles who belongs to "all" and "ungrouped"
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, g := range inv.gorder {
		e := map[string]any{}
		if len(g.hosts) > 0 && g != inv.root {
			e["hosts"] = texts(hostNames(g.hosts))
		}
		if len(g.children) > 0 {
			names := make([]string, len(g.children))
			for i, c := range g.children {
				names[i] = c.name
			}
			e["children"] = texts(names)
		}
		if len(e) > 0 {
			out[g.name] = e
		}
	}
	return out
}

func (inv *Inventory) rawVars(h *Host) map[string]any {
	all := map[string]vars.Var{}
	for _, l := range inv.Layers(h, "") {
		maps.Copy(all, l.Vars)
	}
	out := make(map[string]any, len(all))
	for name, v := range all {
		out[name] = v.Value.Node().Value()
	}
	return out
}

func texts(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}
