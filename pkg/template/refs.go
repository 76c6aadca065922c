package template

import (
	"slices"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// Ref is one mention of a variable.
type Ref struct {
	// Path is the variable and the fields that are taken of it:
	// .ansible_facts.os_family and index .ansible_facts "os_family" are both
	// ["ansible_facts" "os_family"]. A key that is not constant is "*":
	// (index .hostvars .h).x is ["hostvars" "*" "x"].
	Path []string
	Pos  diag.Pos
	// Guarded: it may be undefined here; it is what default, defined and their
	// like act on, or it was tested with one of them before.
	Guarded bool
	// Conditional: it may never be evaluated; it stands in a branch of an if,
	// in a range, or behind an and, or, ternary or default.
	Conditional bool
}

// guards are paths known to be defined.
type guards [][]string

// cover reports whether a path needs what is known to be there, or leads to it.
func (g guards) cover(path []string) bool {
	return slices.ContainsFunc(g, func(known []string) bool {
		n := min(len(known), len(path))
		return slices.Equal(known[:n], path[:n])
	})
}

func (x *Expr) guards() guards {
	if x.tmpl == nil {
		return nil
	}
	c := &checker{prog: x.tmpl.program, dot: []string{}, vars: []pathVar{{"$", []string{}}}}
	return c.pipeGuards(x.tmpl.single, true)
}

// pipeGuards lists what is defined when a pipeline is true (or false).
func (c *checker) pipeGuards(p *parse.PipeNode, yes bool) guards {
	if p == nil || len(p.Cmds) == 0 {
		return nil
	}
	last := p.Cmds[len(p.Cmds)-1]
	id, ok := last.Args[0].(*parse.IdentifierNode)
	if !ok {
		return nil
	}
	args := last.Args[1:]
	if len(p.Cmds) > 1 {
		before := *p
		before.Cmds = p.Cmds[:len(p.Cmds)-1]
		args = append(slices.Clone(args), &before)
	}
	return c.callGuards(id.Ident, args, yes)
}

func (c *checker) callGuards(name string, args []parse.Node, yes bool) guards {
	var out guards
	tested := func(i int) guards {
		if path, ok := c.pathOf(args[i]); ok && len(path) > 0 {
			return guards{path}
		}
		return nil
	}
	switch {
	case len(args) == 0:
	case name == "not":
		return c.nodeGuards(args[0], !yes)
	case name == "and" && yes, name == "or" && !yes:
		for _, a := range args {
			out = append(out, c.nodeGuards(a, yes)...)
		}
	case name == "defined" && yes, (name == "undefined" || name == "empty") && !yes, name == "default" && yes:
		return tested(len(args) - 1)
	case name == "hasKey" && yes && len(args) == 2:
		if path, ok := c.pathOf(args[0]); ok {
			if s, ok := args[1].(*parse.StringNode); ok {
				return guards{append(slices.Clone(path), s.Text)}
			}
			return guards{path}
		}
	}
	return out
}

func (c *checker) nodeGuards(n parse.Node, yes bool) guards {
	if p, ok := n.(*parse.PipeNode); ok {
		return c.pipeGuards(p, yes)
	}
	return nil
}

// pathOf is the variable that a word means, when it means one.
func (c *checker) pathOf(n parse.Node) ([]string, bool) {
	switch n := n.(type) {
	case *parse.DotNode:
		return c.dot, c.dot != nil
	case *parse.FieldNode:
		return join(c.dot, n.Ident)
	case *parse.VariableNode:
		return join(c.variable(n.Ident[0]), n.Ident[1:])
	case *parse.ChainNode:
		base, ok := c.pathOf(n.Node)
		if !ok {
			return nil, false
		}
		return join(base, n.Field)
	case *parse.PipeNode:
		if len(n.Cmds) == 1 && len(n.Decl) == 0 {
			return c.commandPath(n.Cmds[0])
		}
	}
	return nil, false
}

// computed stands in a path for a key that is not constant.
const computed = "*"

// commandPath sees through index and get.
func (c *checker) commandPath(cmd *parse.CommandNode) ([]string, bool) {
	if len(cmd.Args) == 1 {
		return c.pathOf(cmd.Args[0])
	}
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok || id.Ident != "index" && id.Ident != "get" {
		return nil, false
	}
	path, ok := c.pathOf(cmd.Args[1])
	if !ok {
		return nil, false
	}
	for _, a := range cmd.Args[2:] {
		key := computed
		if s, ok := a.(*parse.StringNode); ok {
			key = s.Text
		}
		path = append(slices.Clone(path), key)
	}
	return path, true
}

func join(base, more []string) ([]string, bool) {
	if base == nil {
		return nil, false
	}
	return append(slices.Clone(base), more...), true
}

func (c *checker) variable(name string) []string {
	for i := len(c.vars) - 1; i >= 0; i-- {
		if c.vars[i].name == name {
			return c.vars[i].path
		}
	}
	return nil
}
