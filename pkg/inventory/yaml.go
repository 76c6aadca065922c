package inventory

import (
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// parseYAML reads Ansible's YAML inventory (JSON too): a map of groups, each a
// map of hosts, children and vars, or nothing. hosts and children may be the
// text of a single name.
func parseYAML(file string, text []byte) (content, diag.List) {
	root, diags := source.Parse(file, text)
	if diags.HasErrors() {
		return content{}, diags
	}
	p := yamlParser{diags: diags}
	switch root.Kind {
	case source.Map:
		if plugin := root.Get("plugin"); plugin != nil && plugin.Kind == source.String {
			p.diags.Add(diag.Errorf(root.Pos, "this configures an inventory plugin (%v), which are not supported", plugin.Scalar).
				WithHint("use an executable that prints the inventory as JSON, such as a script that runs ansible-inventory --list"))
			break
		}
		for _, f := range root.Fields {
			p.group(f.Name, f.Pos, f.Node)
		}
	case source.Null:
		p.diags.Add(warning(root.Pos, "the inventory is empty"))
	default:
		p.diags.Add(diag.Errorf(root.Pos, "an inventory is a map of groups, found %s", root.Kind).
			WithHint("begin with all:, and hosts: inside it"))
	}
	return p.out, p.diags
}

type yamlParser struct {
	diags diag.List
	out   content
}

var groupKeys = []string{"hosts", "children", "vars"}

func (p *yamlParser) group(name string, pos diag.Pos, n *source.Node) {
	if err := checkGroupName(name); err != nil {
		p.diags.AddError(pos, err)
		return
	}
	at := len(p.out.groups)
	p.out.groups = append(p.out.groups, groupEntry{name: name, pos: pos})
	e := groupEntry{name: name, pos: pos}
	switch n.Kind {
	case source.Null:
		return
	case source.Map:
	default:
		d := diag.Errorf(n.Pos, "group %q must be a map of hosts, children and vars, found %s", name, n.Kind)
		if n.Kind == source.List {
			d = d.WithHint("put the hosts under hosts:, each as a key with a colon after it")
		}
		p.diags.Add(d)
		return
	}
	for _, f := range n.Fields {
		switch f.Name {
		case "hosts":
			e.hosts = p.hosts(name, f.Node)
		case "children":
			e.children = p.children(name, f.Node)
		case "vars":
			e.vars = p.vars("the vars of group "+name, f.Node)
		default:
			p.unknownKey(name, f)
		}
	}
	p.out.groups[at] = e
}

func (p *yamlParser) unknownKey(group string, f source.Field) {
	d := diag.Errorf(f.Pos, "group %q has an unknown key %q", group, f.Name)
	hint := diag.DidYouMean(f.Name, groupKeys)
	switch {
	case hint != "":
	case f.Node.Kind == source.Map && (f.Node.Get("hosts") != nil || f.Node.Get("children") != nil || f.Node.Get("vars") != nil):
		hint = "a group inside a group stands under children:"
	case f.Node.Kind == source.Map || f.Node.Kind == source.Null:
		hint = "hosts stand under hosts:, groups under children:"
	default:
		hint = "variables stand under vars:"
	}
	p.diags.Add(d.WithHint("%s", hint))
}

// entries gives the fields of a map, of nothing, or of a single name.
func (p *yamlParser) entries(what string, n *source.Node) []source.Field {
	switch n.Kind {
	case source.Null:
		return nil
	case source.Map:
		return n.Fields
	case source.String:
		name, _ := n.Text()
		return []source.Field{{Name: name, Pos: n.Pos, Node: &source.Node{Pos: n.Pos}}}
	}
	d := diag.Errorf(n.Pos, "%s must be a map, found %s", what, n.Kind)
	if n.Kind == source.List {
		d = d.WithHint("write every name as a key: `web01:` in place of `- web01`")
	}
	p.diags.Add(d)
	return nil
}

func (p *yamlParser) children(group string, n *source.Node) []childEntry {
	var out []childEntry
	for _, f := range p.entries("children of group "+group, n) {
		if checkGroupName(f.Name) == nil {
			out = append(out, childEntry{name: f.Name, pos: f.Pos})
		}
		p.group(f.Name, f.Pos, f.Node)
	}
	return out
}

func (p *yamlParser) hosts(group string, n *source.Node) []hostEntry {
	var out []hostEntry
	for _, f := range p.entries("hosts of group "+group, n) {
		names, port, err := expandHost(f.Name)
		if err != nil {
			d := diag.Errorf(f.Pos, "%s", err)
			if strings.Contains(f.Name, "=") {
				d = d.WithHint("variables of a host stand below it, as a map")
			}
			p.diags.Add(d)
			continue
		}
		out = append(out, hostEntry{names: names, port: port, pos: f.Pos, vars: p.vars("host "+f.Name, f.Node)})
	}
	return out
}

func (p *yamlParser) vars(what string, n *source.Node) []varEntry {
	switch n.Kind {
	case source.Null:
		return nil
	case source.Map:
	default:
		p.diags.Errorf(n.Pos, "%s must be a map of variables, found %s", what, n.Kind)
		return nil
	}
	out := make([]varEntry, 0, len(n.Fields))
	for _, f := range n.Fields {
		out = append(out, varEntry{name: f.Name, pos: f.Pos, node: f.Node})
	}
	return out
}
