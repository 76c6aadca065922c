package inventory

import (
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// scriptParser reads what an inventory script prints for --list. Names are
// taken as they are: no ranges, no ports.
type scriptParser struct {
	yamlParser
}

func (p *scriptParser) group(f source.Field) {
	if err := checkGroupName(f.Name); err != nil {
		p.diags.AddError(f.Pos, err)
		return
	}
	e := groupEntry{name: f.Name, pos: f.Pos}
	switch f.Node.Kind {
	case source.List:
		e.hosts = p.names(f.Name, f.Node)
	case source.Map:
		if len(f.Node.Fields) > 0 && f.Node.Get("hosts") == nil && f.Node.Get("children") == nil && f.Node.Get("vars") == nil {
			// An old form, which Ansible still reads: a host with its variables.
			e.hosts = []hostEntry{{names: []string{f.Name}, pos: f.Pos, vars: p.vars("host "+f.Name, f.Node)}}
			break
		}
		if n := f.Node.Get("hosts"); n != nil {
			e.hosts = p.names(f.Name, n)
		}
		if n := f.Node.Get("children"); n != nil {
			for _, name := range p.list("children of group "+f.Name, n) {
				if err := checkGroupName(name); err != nil {
					p.diags.AddError(f.Pos, err)
					continue
				}
				e.children = append(e.children, childEntry{name: name, pos: f.Pos})
			}
		}
		if n := f.Node.Get("vars"); n != nil {
			e.vars = p.vars("the vars of group "+f.Name, n)
		}
	case source.Null:
	default:
		p.diags.Errorf(f.Pos, "group %q must be a list of hosts or a map, found %s", f.Name, f.Node.Kind)
		return
	}
	p.out.groups = append(p.out.groups, e)
}

func (p *scriptParser) names(group string, n *source.Node) []hostEntry {
	var out []hostEntry
	for _, name := range p.list("hosts of group "+group, n) {
		if err := checkHostName(name); err != nil {
			p.diags.AddError(n.Pos, err)
			continue
		}
		out = append(out, hostEntry{names: []string{name}, pos: n.Pos})
	}
	return out
}

// list reads a list of texts; null is an empty one.
func (p *scriptParser) list(what string, n *source.Node) []string {
	if n.Kind != source.List && n.Kind != source.Null {
		p.diags.Errorf(n.Pos, "the %s must be a list, found %s", what, n.Kind)
		return nil
	}
	var out []string
	for _, e := range n.Items {
		s, ok := e.Text()
		if !ok {
			p.diags.Errorf(n.Pos, "the %s must be texts, found %s", what, e.Kind)
			continue
		}
		out = append(out, s)
	}
	return out
}

// hostNames lists every host that a group names, once.
func (p *scriptParser) hostNames() []string {
	var out []string
	seen := map[string]bool{}
	for _, g := range p.out.groups {
		for _, h := range g.hosts {
			for _, name := range h.names {
				if !seen[name] {
					seen[name] = true
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// hostVars takes the variables of the hosts that groups name; those of others
// are passed over, as in Ansible.
func (p *scriptParser) hostVars(n *source.Node) {
	if n.Kind != source.Map {
		p.diags.Add(diag.Errorf(n.Pos, "hostvars must be a map of hosts, found %s", n.Kind))
		return
	}
	named := map[string]bool{}
	for _, h := range p.hostNames() {
		named[h] = true
	}
	for _, f := range n.Fields {
		if named[f.Name] {
			p.out.hostVars = append(p.out.hostVars, hostEntry{names: []string{f.Name}, pos: f.Pos, vars: p.vars("hostvars of "+f.Name, f.Node)})
		}
	}
}
