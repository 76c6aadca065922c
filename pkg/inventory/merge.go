package inventory

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// loader makes an inventory of sources; nobody else sees it meanwhile.
type loader struct {
	ctx   context.Context
	inv   *Inventory
	diags diag.List
	// wanted are names of groups that some source must define.
	wanted []wantedGroup
}

type wantedGroup struct {
	name string
	pos  diag.Pos
	as   string // "child of web", "section [web:vars]"
}

// merge adds what a source says. file is the source's absolute path, "" for a
// list of hosts.
func (l *loader) merge(c content, file string) {
	for _, e := range c.groups {
		g := l.group(e)
		for _, h := range e.hosts {
			l.hosts(g, h, file)
		}
		for _, child := range e.children {
			l.child(g, child)
		}
		l.groupVars(g, e.vars)
	}
	for _, h := range c.hostVars {
		set := l.compile(h.vars)
		for _, name := range h.names {
			l.host(name, file, h.pos).set(set)
		}
	}
}

func (l *loader) group(e groupEntry) *Group {
	g := l.inv.group(e.name)
	if g.pos.IsZero() {
		g.pos = e.pos
	}
	if e.varsOnly {
		l.wanted = append(l.wanted, wantedGroup{e.name, e.pos, "[" + e.name + ":vars]"})
	} else {
		g.defined = true
	}
	return g
}

func (l *loader) host(name, file string, pos diag.Pos) *Host {
	h := l.inv.hosts[name]
	if h == nil {
		h = l.inv.host(name)
		h.file, h.pos = file, pos
	}
	return h
}

func (l *loader) hosts(g *Group, e hostEntry, file string) {
	set := l.compile(e.vars)
	if e.port != 0 {
		if _, given := set["ansible_port"]; !given {
			port, _ := l.inv.opts.Engine.Compile(source.FromValue(e.port, e.pos))
			set["ansible_port"] = vars.Var{Value: port, Pos: e.pos}
		}
	}
	for _, name := range e.names {
		h := l.host(name, file, e.pos)
		enlist(g, h)
		h.set(set)
	}
}

// child makes one group the child of another unless that makes a circle.
func (l *loader) child(parent *Group, e childEntry) {
	g := l.inv.group(e.name)
	if g.pos.IsZero() {
		g.pos = e.pos
	}
	if e.must {
		l.wanted = append(l.wanted, wantedGroup{e.name, e.pos, "[" + parent.name + ":children]"})
	} else {
		g.defined = true
	}
	switch {
	case g == parent:
		l.diags.Errorf(e.pos, "group %q is its own child", g.name)
	case g == l.inv.root:
		l.diags.Errorf(e.pos, `"all" is around every group and can be no child`)
	case g.reaches(parent):
		l.diags.Add(diag.Errorf(e.pos, "group %q cannot be a child of %q: that makes a circle (%s)",
			g.name, parent.name, circle(g, parent)))
	default:
		link(parent, g)
	}
}

// circle spells the way from g down to its would-be parent and back.
func circle(g, parent *Group) string {
	var walk func(at *Group, seen map[*Group]bool) string
	walk = func(at *Group, seen map[*Group]bool) string {
		if at == parent {
			return at.name
		}
		seen[at] = true
		for _, c := range at.children {
			if !seen[c] {
				if rest := walk(c, seen); rest != "" {
					return at.name + " > " + rest
				}
			}
		}
		return ""
	}
	return walk(g, map[*Group]bool{}) + " > " + g.name
}

func (l *loader) groupVars(g *Group, entries []varEntry) {
	kept := entries[:0:0]
	for _, e := range entries {
		if e.name == priorityVar {
			l.priority(g, e)
			continue
		}
		kept = append(kept, e)
	}
	if len(kept) == 0 {
		return
	}
	if g.vars == nil {
		g.vars = map[string]vars.Var{}
	}
	maps.Copy(g.vars, l.compile(kept))
}

// priorityVar orders groups of the same depth. As in Ansible it counts only in
// the inventory itself, not in group_vars.
const priorityVar = "ansible_group_priority"

func (l *loader) priority(g *Group, e varEntry) {
	v := e.node.Value()
	if text, ok := v.(string); ok {
		if n, err := strconv.Atoi(text); err == nil {
			v = n
		}
	}
	n, ok := v.(int)
	if !ok {
		l.diags.Errorf(e.node.Pos, "%s must be a whole number, found %s", priorityVar, e.node.Kind)
		return
	}
	g.priority = n
}

// compile compiles variables; a later one of the same name wins.
func (l *loader) compile(entries []varEntry) map[string]vars.Var {
	out := make(map[string]vars.Var, len(entries))
	for _, e := range entries {
		v, diags := l.inv.opts.Engine.Compile(e.node)
		l.diags.Merge(diags)
		l.diags.Add(checkVar(e.name, e.pos, v)...)
		if v != nil {
			out[e.name] = vars.Var{Value: v, Pos: e.pos}
		}
	}
	return out
}

// finish reports what can be known only when all sources are read.
func (l *loader) finish() {
	for _, w := range l.wanted {
		if l.inv.groups[w.name].defined {
			continue
		}
		d := diag.Errorf(w.pos, "%s names group %q, which is defined nowhere", w.as, w.name)
		if hint := diag.DidYouMean(w.name, l.definedGroups()); hint != "" {
			d = d.WithHint("%s", hint)
		} else {
			d = d.WithHint("add a section [%s], empty if it has no hosts", w.name)
		}
		l.diags.Add(d)
	}
	for _, h := range l.inv.order {
		if g := l.inv.groups[h.name]; g != nil && !h.pos.IsZero() {
			d := warning(h.pos, "%q is the name of a host and of a group", h.name).
				WithHint("rename one: a pattern %q means the host, but after & and ! the group", h.name)
			l.diags.Add(d)
		}
	}
}

func (l *loader) definedGroups() []string {
	var out []string
	for _, name := range value.Keys(l.inv.groups) {
		if l.inv.groups[name].defined && !slices.Contains([]string{"all", "ungrouped"}, name) {
			out = append(out, name)
		}
	}
	return out
}

func warning(pos diag.Pos, format string, args ...any) diag.Diagnostic {
	d := diag.Errorf(pos, format, args...)
	d.Severity = diag.Warning
	return d
}
