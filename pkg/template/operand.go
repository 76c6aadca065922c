package template

import (
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// pipe evaluates a pipeline and makes the variables it declares. The result
// may be undefined or Unknown; a variable may not be undefined.
func (r *run) pipe(p *parse.PipeNode, m mode) (any, error) {
	var v any
	last := len(p.Cmds) - 1
	for i, cmd := range p.Cmds {
		how := asGo
		if i == last {
			how = m
		}
		var err error
		if v, err = r.command(cmd, v, i > 0, how); err != nil {
			return nil, err
		}
	}
	if len(p.Decl) == 0 {
		return v, nil
	}
	if u, ok := v.(*undefined); ok {
		return nil, u.err()
	}
	for _, d := range p.Decl {
		if p.IsAssign {
			r.set(d.Ident[0], v)
		} else {
			r.declare(d.Ident[0], v)
		}
	}
	return v, nil
}

// command evaluates one stage of a pipeline; final is the stage before it.
func (r *run) command(cmd *parse.CommandNode, final any, piped bool, m mode) (any, error) {
	first := cmd.Args[0]
	if id, ok := first.(*parse.IdentifierNode); ok {
		return r.function(site{r: r, node: id, args: cmd.Args[1:], final: final, piped: piped, mode: m})
	}
	if len(cmd.Args) > 1 || piped {
		return nil, r.errorf(first, "%s is not a function and takes no arguments", first)
	}
	return r.operand(first, m)
}

// operand evaluates one word.
func (r *run) operand(n parse.Node, m mode) (any, error) {
	switch n := n.(type) {
	case *parse.FieldNode:
		return r.fields(n, r.dot, n.Ident, "")
	case *parse.VariableNode:
		v, ok := r.variable(n.Ident[0])
		if !ok {
			return nil, r.errorf(n, "variable %s is not set", n.Ident[0])
		}
		return r.fields(n, v, n.Ident[1:], n.Ident[0])
	case *parse.ChainNode:
		v, err := r.operand(n.Node, asGo)
		if err != nil {
			return nil, err
		}
		return r.fields(n, v, n.Field, n.Node.String())
	case *parse.PipeNode:
		mark := len(r.vars)
		v, err := r.pipe(n, m)
		r.pop(mark)
		return v, err
	case *parse.IdentifierNode:
		return r.function(site{r: r, node: n, mode: m})
	case *parse.StringNode:
		return n.Text, nil
	case *parse.NumberNode:
		return number(n), nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.NilNode:
		return nil, nil
	case *parse.DotNode:
		return r.dot, nil
	}
	return nil, r.errorf(n, "%s is not understood here", n)
}

// number is a constant's value: a float when it is written as one.
func number(n *parse.NumberNode) any {
	hex := len(n.Text) > 2 && strings.ContainsAny(n.Text[:3], "xX")
	if n.IsInt && (hex || !strings.ContainsAny(n.Text, ".eEpP")) {
		return int(n.Int64)
	}
	return n.Float64
}

func (r *run) variable(name string) (any, bool) {
	for i := len(r.vars) - 1; i >= 0; i-- {
		if r.vars[i].name == name {
			return r.vars[i].v, true
		}
	}
	return nil, false
}

// fields goes down a chain; base is how its beginning is written.
func (r *run) fields(n parse.Node, v any, names []string, base string) (any, error) {
	for i, name := range names {
		switch x := v.(type) {
		case *undefined, value.Unknown:
			return x, nil
		}
		r.here = n
		next, found, err := member(v, name)
		if err != nil {
			return nil, positioned(err, r.prog.at(link(n, i)), "")
		}
		if !found {
			return &undefined{
				path:      base + "." + strings.Join(names[:i+1], "."),
				container: v, key: name, pos: r.prog.at(link(n, i)),
			}, nil
		}
		v = next
	}
	return v, nil
}
