package template

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

const (
	// maxOutput bounds what one evaluation may print, in bytes.
	maxOutput = 64 << 20
	// maxDepth bounds templates that include templates.
	maxDepth = 100
	// maxSteps bounds how many turns of ranges and calls of templates one
	// evaluation may take.
	maxSteps = 2_000_000
)

// mode says how truth is told.
type mode bool

const (
	asGo        mode = false // in texts
	asCondition mode = true  // in conditions: words are booleans, other text is a mistake
)

// run is the state of one evaluation. It is used by one goroutine.
type run struct {
	eng   *Engine
	ctx   *Context
	done  context.Context
	prog  *program
	defs  map[string]definition
	root  *root
	dot   any
	vars  []variable
	out   *strings.Builder
	depth int
	steps *int       // taken so far, together with the files this one looks up
	here  parse.Node // what is being evaluated, for a panic's place
	owned map[uintptr]map[string]any
}

type variable struct {
	name string
	v    any
}

func newRun(p *compiled, ctx *Context, extra map[string]any) *run {
	if ctx == nil {
		ctx = &Context{}
	}
	r := &run{eng: p.eng, ctx: ctx, done: ctx.context(), prog: p.program, defs: p.defs, out: &strings.Builder{}, steps: new(int)}
	r.root = &root{scope: ctx.Scope, extra: extra}
	r.dot = r.root
	r.vars = []variable{{"$", r.root}}
	return r
}

// native evaluates the only pipeline of the text.
func (r *run) native(m mode) (v any, err error) {
	defer r.recover(&v, &err)
	v, err = r.pipe(r.prog.single, m)
	if err != nil {
		return r.unknown(err)
	}
	if u, ok := v.(*undefined); ok {
		return nil, u.err()
	}
	return v, nil
}

// text evaluates the whole text; it gives a string or an Unknown.
func (r *run) text() (v any, err error) {
	defer r.recover(&v, &err)
	if err := r.list(r.prog.root); err != nil {
		return r.unknown(err)
	}
	return r.out.String(), nil
}

// unknown turns the unwinding of an Unknown into a value.
func (r *run) unknown(err error) (any, error) {
	var stop *unknownStop
	if errors.As(err, &stop) {
		return stop.unknown, nil
	}
	return nil, err
}

// recover makes an error of a panic.
func (r *run) recover(v *any, err *error) {
	if p := recover(); p != nil {
		*v, *err = nil, r.errorf(r.here, "the evaluation broke off: %v", p)
	}
}

func (r *run) pos(n parse.Node) diag.Pos {
	if n == nil {
		return r.prog.at(0)
	}
	return r.prog.pos(n)
}

func (r *run) errorf(n parse.Node, format string, args ...any) error {
	return &Error{Diagnostic: diag.Errorf(r.pos(n), format, args...)}
}

func (r *run) print(n parse.Node, s string) error {
	if r.out.Len()+len(s) > maxOutput {
		return r.errorf(n, "the text becomes larger than %d MiB", maxOutput>>20)
	}
	r.out.WriteString(s)
	return nil
}

// Break and continue unwind to their range.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

func (r *run) list(l *parse.ListNode) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		if err := r.node(n); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) node(n parse.Node) error {
	switch n := n.(type) {
	case *parse.TextNode:
		return r.print(n, string(n.Text))
	case *parse.ActionNode:
		v, err := r.pipe(n.Pipe, asGo)
		if err != nil || len(n.Pipe.Decl) > 0 {
			return err
		}
		s, err := r.printed(n, v)
		if err != nil {
			return err
		}
		return r.print(n, s)
	case *parse.IfNode:
		defer r.pop(len(r.vars))
		_, yes, err := r.test(n.Pipe)
		if err != nil {
			return err
		}
		if yes {
			return r.list(n.List)
		}
		return r.list(n.ElseList)
	case *parse.WithNode:
		return r.with(n)
	case *parse.RangeNode:
		return r.rang(n)
	case *parse.TemplateNode:
		return r.template(n)
	case *parse.BreakNode:
		return errBreak
	case *parse.ContinueNode:
		return errContinue
	case *parse.CommentNode:
		return nil
	}
	return r.errorf(n, "%s is not understood", n)
}

// printed is a value as text; it must be defined and known.
func (r *run) printed(n parse.Node, v any) (string, error) {
	v, err := r.settled(n, v)
	if err != nil {
		return "", err
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	if u, ok := findUnknown(v); ok {
		return "", &unknownStop{u}
	}
	return value.Text(v), nil
}

// settled is v as a plain value: defined, and not lazy.
func (r *run) settled(n parse.Node, v any) (any, error) {
	switch x := v.(type) {
	case *undefined:
		return nil, x.err()
	case Getter, []any, map[string]any:
		w, err := whole(x)
		return w, positioned(err, r.pos(n), "")
	}
	return v, nil
}

func (r *run) pop(mark int) { r.vars = r.vars[:mark] }

// test evaluates the pipeline of an if or with.
func (r *run) test(p *parse.PipeNode) (v any, yes bool, err error) {
	v, err = r.pipe(p, asGo)
	if err != nil {
		return nil, false, err
	}
	switch x := v.(type) {
	case *undefined:
		return nil, false, x.err()
	case value.Unknown:
		return nil, false, &unknownStop{x}
	}
	return v, truth(v), nil
}

func (r *run) with(n *parse.WithNode) error {
	defer r.pop(len(r.vars))
	v, yes, err := r.test(n.Pipe)
	if err != nil {
		return err
	}
	if !yes {
		return r.list(n.ElseList)
	}
	defer func(dot any) { r.dot = dot }(r.dot)
	r.dot = v
	return r.list(n.List)
}

func (r *run) template(n *parse.TemplateNode) error {
	var dot any
	if n.Pipe != nil {
		v, err := r.pipe(n.Pipe, asGo)
		if err != nil {
			return err
		}
		if u, ok := v.(*undefined); ok {
			return u.err()
		}
		dot = v
	}
	return r.call(n, n.Name, dot)
}

// call runs a defined template with its own variables.
func (r *run) call(n parse.Node, name string, dot any) error {
	def, ok := r.defs[name]
	if !ok {
		return &Error{Diagnostic: diag.Errorf(r.pos(n), "template %q is not defined", name).
			WithHint("%s", diag.DidYouMean(name, keys(r.defs)))}
	}
	if r.depth++; r.depth > maxDepth {
		return r.errorf(n, "template %q includes itself without end", name)
	}
	if err := r.step(n); err != nil {
		return err
	}
	defer func(prog *program, old any, vars []variable) {
		r.depth--
		r.prog, r.dot, r.vars = prog, old, vars
	}(r.prog, r.dot, r.vars)
	r.prog, r.dot, r.vars = def.prog, dot, []variable{{"$", dot}}
	return r.list(def.body)
}

// declare makes a variable; set changes the nearest one of that name.
func (r *run) declare(name string, v any) { r.vars = append(r.vars, variable{name, v}) }

func (r *run) set(name string, v any) {
	for i := len(r.vars) - 1; i >= 0; i-- {
		if r.vars[i].name == name {
			r.vars[i].v = v
			return
		}
	}
}

// own remembers a map that this evaluation made, which set and unset may
// change.
func (r *run) own(m map[string]any) map[string]any {
	if r.owned == nil {
		r.owned = map[uintptr]map[string]any{}
	}
	r.owned[reflect.ValueOf(m).Pointer()] = m
	return m
}

func (r *run) owns(m map[string]any) bool {
	_, ok := r.owned[reflect.ValueOf(m).Pointer()]
	return ok
}

// same reports whether two maps are one.
func same(a, b map[string]any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

func keys[V any](m map[string]V) []string { return value.Keys(m) }
