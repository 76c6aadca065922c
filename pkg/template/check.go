package template

import (
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// checker goes through a program once, before anything is evaluated: it finds
// mistakes and the variables that are mentioned.
type checker struct {
	eng  *Engine
	prog *program
	list *diag.List
	defs map[string]definition
	refs []Ref

	dot         []string // the variable that dot is; empty: all of them; nil: unknown
	vars        []pathVar
	guarded     bool
	conditional bool
	safe        guards
	entered     map[string]bool // definitions gone into with dot the root
}

type pathVar struct {
	name string
	path []string
}

// check finds the mistakes in a program and makes it ready to run; partials
// are definitions from other files.
func (e *Engine) check(p *program, partials map[string]definition, list *diag.List) *compiled {
	out := &compiled{program: p, eng: e, defs: map[string]definition{}}
	maps.Copy(out.defs, partials)
	for name, body := range p.defines {
		out.defs[name] = definition{p, body}
	}
	c := &checker{
		eng: e, prog: p, list: list, defs: out.defs, entered: map[string]bool{},
		dot: []string{}, vars: []pathVar{{"$", []string{}}},
	}
	c.body(p.root)
	for _, name := range keys(out.defs) {
		if def := out.defs[name]; !c.entered[name] {
			c.prog, c.dot, c.vars = def.prog, nil, []pathVar{{"$", nil}}
			c.body(def.body)
		}
	}
	out.refs = c.refs
	return out
}

func (c *checker) add(n parse.Node, hint, format string, args ...any) {
	c.list.Add(diag.Errorf(c.prog.pos(n), format, args...).WithHint("%s", hint))
}

func (c *checker) body(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n)
	}
}

func (c *checker) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ActionNode:
		c.pipe(n.Pipe)
	case *parse.IfNode:
		c.branch(n.Pipe, n.List, n.ElseList, func() {})
	case *parse.WithNode:
		c.branch(n.Pipe, n.List, n.ElseList, func() { c.dot, _ = c.pathOf(n.Pipe) })
	case *parse.RangeNode:
		c.branch(n.Pipe, n.List, n.ElseList, func() {
			c.dot = nil
			for _, d := range n.Pipe.Decl {
				c.assign(d.Ident[0])
			}
		})
	case *parse.TemplateNode:
		if n.Pipe != nil {
			c.pipe(n.Pipe)
		}
		path, _ := c.pipePath(n.Pipe)
		c.enter(n, n.Name, path)
	}
}

func (c *checker) pipePath(p *parse.PipeNode) ([]string, bool) {
	if p == nil {
		return nil, false
	}
	return c.pathOf(p)
}

// branch checks an if, with or range; rebind sets what dot is in its body.
func (c *checker) branch(p *parse.PipeNode, then, otherwise *parse.ListNode, rebind func()) {
	mark := len(c.vars)
	c.pipe(p)
	outer := *c
	c.conditional = true
	c.safe = append(slices.Clone(outer.safe), c.pipeGuards(p, true)...)
	inner := slices.Clone(c.vars)
	rebind()
	c.body(then)
	c.dot, c.vars = outer.dot, inner
	c.safe = append(slices.Clone(outer.safe), c.pipeGuards(p, false)...)
	c.body(otherwise)
	c.dot, c.safe, c.conditional, c.vars = outer.dot, outer.safe, outer.conditional, c.vars[:mark]
}

// enter goes into a defined template, once with dot the root.
func (c *checker) enter(n parse.Node, name string, dot []string) {
	def, ok := c.defs[name]
	if !ok {
		hint := diag.DidYouMean(name, keys(c.defs))
		if hint == "" {
			hint = "define it in this file or in a file _*.tpl beside it"
		}
		c.add(n, hint, "template %q is not defined", name)
		return
	}
	if dot == nil || len(dot) > 0 || c.entered[name] {
		return
	}
	c.entered[name] = true
	outer := *c
	c.prog, c.dot, c.vars = def.prog, []string{}, []pathVar{{"$", []string{}}}
	c.body(def.body)
	c.prog, c.dot, c.vars = outer.prog, outer.dot, outer.vars
}

func (c *checker) pipe(p *parse.PipeNode) {
	outer := c.guarded
	for i, cmd := range p.Cmds {
		// What the next stage accepts undefined is guarded in this one.
		c.guarded = outer
		if i+1 < len(p.Cmds) {
			c.guarded = c.softens(p.Cmds[i+1])
		}
		var before *parse.PipeNode
		if i > 0 {
			head := *p
			head.Cmds, head.Decl = p.Cmds[:i], nil
			before = &head
		}
		c.command(cmd, before)
	}
	c.guarded = outer
	path, _ := c.pipePath(withoutDecl(p))
	for _, d := range p.Decl {
		if p.IsAssign {
			c.assign(d.Ident[0])
		} else {
			c.vars = append(c.vars, pathVar{d.Ident[0], path})
		}
	}
}

func withoutDecl(p *parse.PipeNode) *parse.PipeNode {
	plain := *p
	plain.Decl = nil
	return &plain
}

// assign forgets what a variable stood for.
func (c *checker) assign(name string) {
	for i := range c.vars {
		if c.vars[i].name == name {
			c.vars[i].path = nil
		}
	}
}

// softens reports whether a stage accepts an undefined piped value.
func (c *checker) softens(cmd *parse.CommandNode) bool {
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		return false
	}
	fn, ok := c.eng.funcs[id.Ident]
	return ok && fn.soft.accepts(len(cmd.Args)-1, len(cmd.Args))
}

// command checks one stage; before is what is piped into it, nil for nothing.
func (c *checker) command(cmd *parse.CommandNode, before *parse.PipeNode) {
	if path, ok := c.commandPath(cmd); ok && len(path) > 0 && before == nil {
		if _, call := cmd.Args[0].(*parse.IdentifierNode); call {
			c.mention(cmd.Args[1], path)
			c.keys(cmd.Args[1])
			c.call(cmd.Args[0].(*parse.IdentifierNode), cmd.Args[1:], nil, true)
			return
		}
	}
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		c.call(id, cmd.Args[1:], before, false)
		return
	}
	if len(cmd.Args) > 1 {
		c.strayArgument(cmd)
		return
	}
	if before != nil {
		c.add(cmd.Args[0], "pipe into a function", "%s is not a function", cmd.Args[0])
	}
	c.word(cmd.Args[0])
}

// call checks a function call; counted is set when its first argument was
// noted as a Ref already.
func (c *checker) call(id *parse.IdentifierNode, args []parse.Node, before *parse.PipeNode, counted bool) {
	fn, ok := c.eng.funcs[id.Ident]
	if !ok {
		c.unknownFunction(id, len(args) > 0 || before != nil)
		return
	}
	n := len(args)
	if before != nil {
		n++
	}
	if wrong := fn.arity(n); wrong != "" {
		hint := ""
		if n < fn.min {
			hint = "a call that is an argument stands in parentheses, and the value acted on comes last or is piped"
		}
		c.add(id, hint, "%s", wrong)
		return
	}
	if fn.check != nil {
		if err := fn.check(c.eng, args); err != nil {
			c.list.AddError(c.prog.pos(id), positioned(err, c.prog.pos(id), fn.name+": "))
		}
	}
	if fn.name == "include" && len(args) > 0 {
		c.include(args, before)
	}
	outer := *c
	for i, a := range args {
		if counted && i == 0 {
			continue
		}
		c.guarded = fn.soft.accepts(i, n)
		c.conditional = outer.conditional || skippable(fn.name, i)
		c.word(a)
		if fn.name == "and" || fn.name == "or" {
			c.safe = append(slices.Clone(c.safe), c.nodeGuards(a, fn.name == "and")...)
		}
	}
	c.guarded, c.conditional, c.safe = outer.guarded, outer.conditional, outer.safe
}

// skippable reports whether a function may leave its i-th argument alone.
func skippable(name string, i int) bool {
	switch name {
	case "and", "or", "coalesce":
		return i > 0
	case "default":
		return i == 0
	case "ternary":
		return i < 2
	}
	return false
}

func (c *checker) include(args []parse.Node, before *parse.PipeNode) {
	name, ok := args[0].(*parse.StringNode)
	if !ok {
		return
	}
	var dot []string
	if len(args) > 1 {
		dot, _ = c.pathOf(args[1])
	} else if before != nil {
		dot, _ = c.pathOf(before)
	}
	c.enter(args[0], name.Text, dot)
}

// word checks one argument.
func (c *checker) word(n parse.Node) {
	if path, ok := c.pathOf(n); ok {
		if p, pipe := n.(*parse.PipeNode); pipe && len(p.Cmds[0].Args) > 1 {
			c.pipe(p)
		} else if len(path) > 0 {
			c.mention(n, path)
			c.keys(n)
		}
		return
	}
	switch n := n.(type) {
	case *parse.IdentifierNode:
		c.call(n, nil, nil, false)
	case *parse.PipeNode:
		mark := len(c.vars)
		c.pipe(n)
		c.vars = c.vars[:mark]
	case *parse.ChainNode:
		if id, ok := n.Node.(*parse.IdentifierNode); ok && c.eng.funcs[id.Ident] == nil {
			c.add(n, "variables start with a dot: ."+id.Ident+"."+strings.Join(n.Field, "."), "function %q is not defined", id.Ident)
			return
		}
		c.word(n.Node)
	case *parse.NumberNode:
		c.number(n)
	}
}

// keys checks the computed keys on the way to what a word means.
func (c *checker) keys(n parse.Node) {
	switch n := n.(type) {
	case *parse.ChainNode:
		c.keys(n.Node)
	case *parse.PipeNode:
		if args := n.Cmds[0].Args; len(args) > 1 {
			c.keys(args[1])
			for _, a := range args[2:] {
				c.word(a)
			}
		} else {
			c.keys(args[0])
		}
	}
}

func (c *checker) mention(n parse.Node, path []string) {
	c.refs = append(c.refs, Ref{
		Path: path, Pos: c.prog.pos(n),
		Guarded: c.guarded || c.safe.cover(path), Conditional: c.conditional,
	})
}

// number refuses numbers that are not what they look like.
func (c *checker) number(n *parse.NumberNode) {
	text := strings.TrimLeft(n.Text, "+-")
	switch {
	case strings.HasPrefix(text, "'"):
		c.add(n, `use "double quotes" or backquotes`, "%s is a character's number, not a string", n.Text)
	case !n.IsInt && !n.IsFloat:
		c.add(n, "", "%s is not a number of the language", n.Text)
	case len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9':
		c.add(n, `a mode is text: "`+n.Text+`"`, "%s would be read as octal, as %d", n.Text, n.Int64)
	}
}
