package template

import (
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// compiled is a program that was checked against an engine's functions.
type compiled struct {
	*program
	eng  *Engine
	defs map[string]definition
	refs []Ref
}

// Value is a compiled YAML value, in which any string may be a template. It is
// immutable and safe for concurrent use. A nil *Value is null.
type Value struct {
	node    *source.Node
	literal bool // no template anywhere in it; lit is its value
	lit     any
	tmpl    *compiled // of a string with a template
	items   []*Value
	fields  []Field
}

// Field is one field of a map Value, in the file's order.
type Field struct {
	Name  string
	Pos   diag.Pos // of the key
	Value *Value
}

// Static wraps a plain value of package value; nothing in it is a template.
func Static(v any) *Value { return staticOf(source.FromValue(v, diag.Pos{}), v) }

func staticOf(n *source.Node, v any) *Value {
	out := &Value{node: n, literal: true, lit: v}
	list, _ := v.([]any)
	for i, item := range n.Items {
		out.items = append(out.items, staticOf(item, list[i]))
	}
	m, _ := v.(map[string]any)
	for _, f := range n.Fields {
		out.fields = append(out.fields, Field{f.Name, f.Pos, staticOf(f.Node, m[f.Name])})
	}
	return out
}

// Compile parses the templates in a YAML value and checks them. Mistakes are
// in the list with their place in the file: syntax errors, unknown functions,
// wrong numbers of arguments, invalid patterns, Jinja's syntax. Below a tag
// !unsafe nothing is a template. The Value is never nil; evaluating one with
// mistakes fails.
func (e *Engine) Compile(n *source.Node) (*Value, diag.List) {
	var list diag.List
	list.AddError(diag.Pos{}, e.badFuncErr)
	if n == nil {
		n = &source.Node{}
	}
	return e.compile(n, &list), list
}

func (e *Engine) compile(n *source.Node, list *diag.List) *Value {
	v := &Value{node: n}
	switch n.Tag {
	case "!unsafe":
		return e.unsafe(n)
	case "!vault", "!vault-encrypted":
		list.Add(diag.Errorf(n.Pos, "this value is encrypted with Ansible Vault, which is not read yet").
			WithHint("decrypt it with `ansible-vault decrypt` and keep it in a file of mode 0600"))
	case "":
	default:
		list.Errorf(n.Pos, "the tag %s has no meaning here", n.Tag)
	}
	switch n.Kind {
	case source.String:
		v.text(e, list)
	case source.List:
		v.literal = true
		for _, item := range n.Items {
			c := e.compile(item, list)
			v.items = append(v.items, c)
			v.literal = v.literal && c.literal
		}
	case source.Map:
		v.literal = true
		for _, f := range n.Fields {
			if strings.Contains(f.Name, "{{") {
				list.Add(diag.Errorf(f.Pos, "a key cannot be a template").
					WithHint(`make the whole map in one: "{{ dict (print .a \"x\") 1 }}"`))
			}
			c := e.compile(f.Node, list)
			v.fields = append(v.fields, Field{f.Name, f.Pos, c})
			v.literal = v.literal && c.literal
		}
	default:
		v.literal = true
	}
	if v.literal {
		v.lit = n.Value()
	}
	return v
}

// unsafe makes a literal of everything below n.
func (e *Engine) unsafe(n *source.Node) *Value {
	v := &Value{node: n, literal: true, lit: n.Value()}
	for _, item := range n.Items {
		v.items = append(v.items, e.unsafe(item))
	}
	for _, f := range n.Fields {
		v.fields = append(v.fields, Field{f.Name, f.Pos, e.unsafe(f.Node)})
	}
	return v
}

// text compiles a string.
func (v *Value) text(e *Engine, list *diag.List) {
	s, _ := v.node.Text()
	p := &program{text: s, place: v.node.Place}
	if strings.Contains(s, "{%") {
		p.blockTags(list)
	}
	if v.literal = !strings.Contains(s, "{{"); v.literal {
		return
	}
	p, bad := parseText(s, delims{}, v.node.Place)
	if bad != nil {
		list.Add(*bad)
		return
	}
	v.tmpl = e.checked(p, list)
}

// checked is check that gives nil when there are mistakes.
func (e *Engine) checked(p *program, list *diag.List) *compiled {
	var found diag.List
	c := e.check(p, nil, &found)
	list.Merge(found)
	if found.HasErrors() {
		return nil
	}
	return c
}

// Eval gives the value, in the kinds of package value: maps and lists with all
// templates in them evaluated, fields and items that come to Omit left out. A
// string that is one {{ … }}, white space aside, keeps the pipeline's type; the
// white space stays when that is a string. When the evaluation consumed an
// Unknown, the result is that value.Unknown. The result is shared with
// variables and must not be changed. Errors are *Error.
func (v *Value) Eval(ctx *Context) (any, error) {
	out, err := v.Resolve(ctx)
	if err != nil || v == nil || v.literal {
		return out, err
	}
	if _, scalar := out.(string); scalar {
		return out, nil
	}
	out, err = whole(out)
	return out, positioned(err, v.Pos(), "")
}

// Resolve is Eval that leaves Getters as they are: for variables, so that a
// variable may stand for one host of hostvars.
func (v *Value) Resolve(ctx *Context) (any, error) {
	switch {
	case v == nil:
		return nil, nil
	case v.literal:
		return v.lit, nil
	case v.tmpl != nil && v.tmpl.single != nil:
		out, err := newRun(v.tmpl, ctx, nil).native(asGo)
		if s, ok := out.(string); ok && s != Omit {
			out = v.tmpl.around[0] + s + v.tmpl.around[1]
		}
		return out, err
	case v.tmpl != nil:
		return newRun(v.tmpl, ctx, nil).text()
	case v.node.Kind == source.List:
		return v.evalList(ctx)
	case v.node.Kind == source.Map:
		return v.evalMap(ctx)
	}
	return nil, positioned(errNotCompiled, v.Pos(), "")
}

func (v *Value) evalList(ctx *Context) (any, error) {
	out := make([]any, 0, len(v.items))
	for _, item := range v.items {
		e, err := item.Resolve(ctx)
		if err != nil {
			return nil, err
		}
		if e != Omit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (v *Value) evalMap(ctx *Context) (any, error) {
	out := make(map[string]any, len(v.fields))
	for _, f := range v.fields {
		e, err := f.Value.Resolve(ctx)
		if err != nil {
			return nil, err
		}
		if e != Omit {
			out[f.Name] = e
		}
	}
	return out, nil
}

// Literal gives the value when no template is anywhere in it.
func (v *Value) Literal() (lit any, ok bool) {
	if v == nil {
		return nil, true
	}
	return v.lit, v.literal
}

// Node is the YAML the value was compiled from; nil for a nil Value.
func (v *Value) Node() *source.Node {
	if v == nil {
		return nil
	}
	return v.node
}

// Pos is where the value stands.
func (v *Value) Pos() diag.Pos {
	if v == nil {
		return diag.Pos{}
	}
	return v.node.Pos
}

// Field gives the field of a map Value, nil when it is none or lacks it.
// Nothing is evaluated.
func (v *Value) Field(name string) *Value {
	for _, f := range v.Fields() {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Fields lists the fields of a map Value, in the file's order.
func (v *Value) Fields() []Field {
	if v == nil {
		return nil
	}
	return v.fields
}

// Items lists the items of a list Value.
func (v *Value) Items() []*Value {
	if v == nil {
		return nil
	}
	return v.items
}

// Refs lists the variables that the value's templates mention.
func (v *Value) Refs() []Ref {
	if v == nil || v.literal {
		return nil
	}
	if v.tmpl != nil {
		return v.tmpl.refs
	}
	var out []Ref
	for _, item := range v.items {
		out = append(out, item.Refs()...)
	}
	for _, f := range v.fields {
		out = append(out, f.Value.Refs()...)
	}
	return out
}

// isUnknown reports whether v itself is Unknown.
func isUnknown(v any) (value.Unknown, bool) {
	u, ok := v.(value.Unknown)
	return u, ok
}
