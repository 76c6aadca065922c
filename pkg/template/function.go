package template

import (
	"fmt"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// function is one function of the language.
type function struct {
	name string
	// min and max count the arguments, the piped one included; a negative max
	// is any number.
	min, max int
	// Exactly one of call, which gets evaluated arguments, and form, which
	// evaluates what it needs.
	call func(r *run, args []any) (any, error)
	form func(s site) (any, error)
	// soft says which arguments may be undefined.
	soft soft
	// open functions get Unknowns and lazy maps as they are. For all others an
	// Unknown anywhere in an argument is the result, and lazy maps are made
	// whole.
	open bool
	// check looks at constant arguments before anything runs.
	check func(e *Engine, args []parse.Node) error
}

// soft says which arguments of a function may be undefined.
type soft int

const (
	none  soft = iota
	first      // the first
	last       // the last, which may be piped
	all
)

func (s soft) accepts(i, n int) bool {
	return s == all || s == last && i == n-1 || s == first && i == 0
}

// site is one call of a function.
type site struct {
	r     *run
	fn    *function
	node  *parse.IdentifierNode
	args  []parse.Node
	final any
	piped bool
	mode  mode
}

// function calls a function.
func (r *run) function(s site) (any, error) {
	fn, ok := r.eng.funcs[s.node.Ident]
	if !ok {
		return nil, r.errorf(s.node, "function %q is not defined", s.node.Ident)
	}
	s.fn = fn
	if fn.form != nil {
		v, err := fn.form(s)
		r.here = s.node
		return v, positioned(err, r.pos(s.node), "")
	}
	args, stop, err := s.evaluated()
	if err != nil {
		return nil, err
	}
	if stop != nil {
		return *stop, nil
	}
	r.here = s.node
	v, err := fn.call(r, args)
	if err != nil {
		return nil, positioned(err, r.pos(s.node), fn.name+": ")
	}
	return v, nil
}

// evaluated gives the arguments' values; stop is an Unknown that is the result.
func (s site) evaluated() (args []any, stop *value.Unknown, err error) {
	n := s.count()
	args = make([]any, n)
	for i := range n {
		v, err := s.arg(i)
		if err != nil {
			return nil, nil, err
		}
		if u, ok := v.(*undefined); ok && !s.fn.soft.accepts(i, n) {
			return nil, nil, u.err()
		}
		if !s.fn.open {
			if v, err = whole(v); err != nil {
				return nil, nil, positioned(err, s.r.pos(s.node), s.fn.name+": ")
			}
			if u, ok := findUnknown(v); ok {
				stop = &u
			}
		}
		args[i] = v
	}
	return args, stop, nil
}

func (s site) count() int {
	if s.piped {
		return len(s.args) + 1
	}
	return len(s.args)
}

// arg evaluates the i-th argument, which may come out undefined or Unknown.
func (s site) arg(i int) (any, error) { return s.argAs(i, asGo) }

func (s site) argAs(i int, m mode) (any, error) {
	if i == len(s.args) && s.piped {
		return s.final, nil
	}
	return s.r.operand(s.args[i], m)
}

// argNode is where the i-th argument stands.
func (s site) argNode(i int) parse.Node {
	if i < len(s.args) {
		return s.args[i]
	}
	return s.node
}

// need evaluates an argument that must be defined.
func (s site) need(i int, m mode) (any, error) {
	v, err := s.argAs(i, m)
	if u, ok := v.(*undefined); ok && err == nil {
		return nil, u.err()
	}
	return v, err
}

// truth tells a defined value's truth.
func (s site) truth(i int, v any, m mode) (bool, error) {
	if m == asGo {
		return truth(v), nil
	}
	yes, err := value.Bool(v)
	return yes, positioned(err, s.r.pos(s.argNode(i)), "")
}

// arity says what is wrong with n arguments, "" when nothing is.
func (f *function) arity(n int) string {
	switch {
	case n >= f.min && (f.max < 0 || n <= f.max):
		return ""
	case f.min == f.max:
		return fmt.Sprintf("%s takes %s, not %d", f.name, plural(f.min), n)
	case f.max < 0:
		return fmt.Sprintf("%s takes at least %s, not %d", f.name, plural(f.min), n)
	}
	return fmt.Sprintf("%s takes %d to %s, not %d", f.name, f.min, plural(f.max), n)
}

func plural(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}
