package vars

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// Var is one variable of a layer.
type Var struct {
	// Value may be a template.Static.
	Value *template.Value
	// Pos is where the variable is set: its key's place.
	Pos diag.Pos
}

// Layer is a set of variables of one origin.
type Layer struct {
	// Name tells people where it is from: "role defaults of nginx_ssl",
	// "group_vars/web.yml".
	Name string
	Vars map[string]Var
	// Func, when set, gives variables that are in no map, such as the magic
	// ones; it is asked after Vars. Values are of package value, or
	// template.Getters. It must be safe for concurrent use.
	Func func(name string) (v any, ok bool, err error)
	// Names lists what Func gives, for near names; nil is nothing.
	Names func() []string
}

// maxChain bounds how many variables may need one another in a row.
const maxChain = 200

// Scope is the variables of one host at one point of a run: layers, lowest
// precedence first. It is a template.Scope, safe for concurrent use.
type Scope struct {
	layers []Layer
	newCtx func(s *Scope) *template.Context

	mu   sync.Mutex
	memo map[string]any
}

// NewScope makes a Scope of layers, which must not be changed afterwards.
// newCtx gives the context in which the variables' templates are evaluated
// (its Scope is replaced); nil is an empty one.
func NewScope(base []Layer, newCtx func(s *Scope) *template.Context) *Scope {
	if newCtx == nil {
		newCtx = func(*Scope) *template.Context { return &template.Context{} }
	}
	return &Scope{layers: base, newCtx: newCtx}
}

// With makes a Scope with more layers on top, the last one highest. Templates
// of the lower layers see them; s stays as it is.
func (s *Scope) With(layers ...Layer) *Scope {
	return &Scope{layers: slices.Concat(s.layers, layers), newCtx: s.newCtx}
}

// Lookup gives a variable's value, evaluated. ok is false when no layer has
// it. The value is shared and must not be changed. "vars" is all variables, as
// a template.Getter, unless a layer has one of that name.
func (s *Scope) Lookup(name string) (v any, ok bool, err error) { return s.lookup(name, nil) }

// Origin tells which layer a variable's value is from, and where it is set.
func (s *Scope) Origin(name string) (layer string, pos diag.Pos, ok bool) {
	for i := len(s.layers) - 1; i >= 0; i-- {
		l := &s.layers[i]
		if v, ok := l.Vars[name]; ok {
			return l.Name, v.Pos, true
		}
		if l.Func == nil {
			continue
		}
		if _, ok, err := l.Func(name); ok || err != nil {
			return l.Name, diag.Pos{}, true
		}
	}
	return "", diag.Pos{}, false
}

// Names lists all variables, sorted.
func (s *Scope) Names() []string {
	var out []string
	for _, l := range s.layers {
		for name := range l.Vars {
			out = append(out, name)
		}
		if l.Names != nil {
			out = append(out, l.Names()...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// step is one variable being evaluated because of the one above it.
type step struct {
	scope *Scope
	name  string
	pos   diag.Pos
	up    *step
	depth int
}

// lookup is Lookup within the evaluation of other variables.
func (s *Scope) lookup(name string, trail *step) (any, bool, error) {
	for i := len(s.layers) - 1; i >= 0; i-- {
		l := &s.layers[i]
		if v, ok := l.Vars[name]; ok {
			if lit, ok := v.Value.Literal(); ok {
				return lit, true, nil
			}
			out, err := s.evaluate(name, v, trail)
			return out, err == nil, err
		}
		if l.Func == nil {
			continue
		}
		if v, ok, err := l.Func(name); ok || err != nil {
			return traced(v, trail), ok && err == nil, err
		}
	}
	if name == "vars" {
		return &hostVars{s, trail}, true, nil
	}
	return nil, false, nil
}

func (s *Scope) evaluate(name string, v Var, trail *step) (any, error) {
	s.mu.Lock()
	out, ok := s.memo[name]
	s.mu.Unlock()
	if ok {
		return traced(out, trail), nil
	}
	at := &step{scope: s, name: name, pos: v.Value.Pos(), up: trail, depth: 1}
	if trail != nil {
		at.depth = trail.depth + 1
	}
	if err := at.cycle(); err != nil {
		return nil, err
	}
	ctx := *s.newCtx(s)
	ctx.Scope = &within{s, at}
	out, err := v.Value.Resolve(&ctx)
	if err != nil {
		return nil, needed(err, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memo == nil {
		s.memo = map[string]any{}
	}
	s.memo[name] = traced(out, nil)
	return traced(out, trail), nil
}

// needed adds to an error, once, which variable the value was needed for.
func needed(err error, name string) error {
	const mark = " (needed for ."
	var e *template.Error
	if !errors.As(err, &e) || strings.Contains(e.Message, mark) || errors.Is(e.Err, errCycle) || errors.Is(err, context.Canceled) {
		return err
	}
	more := *e
	more.Message += mark + name + ")"
	return &more
}

var errCycle = errors.New("variables need each other")

// cycle reports a variable that needs itself.
func (at *step) cycle() error {
	last := at.up
	for last != nil && (last.scope != at.scope || last.name != at.name) {
		last = last.up
	}
	if last == nil && at.depth <= maxChain {
		return nil
	}
	var chain []string
	for st := at; st != nil && len(chain) < 12; st = st.up {
		link := st.name
		if !st.pos.IsZero() {
			link += " (" + st.pos.String() + ")"
		}
		chain = append(chain, link)
		if st == last {
			break
		}
	}
	slices.Reverse(chain)
	message := "variables need each other: " + strings.Join(chain, " → ")
	if last == nil {
		message = fmt.Sprintf("more than %d variables need one another: … → %s", maxChain, strings.Join(chain, " → "))
	}
	return &template.Error{
		Diagnostic: diag.Diagnostic{Pos: at.pos, Message: message, Hint: "set one of them to a value that does not need the others"},
		Err:        errCycle,
	}
}

// within is the Scope that a variable's template sees: it knows what is being
// evaluated.
type within struct {
	scope *Scope
	trail *step
}

func (w *within) Lookup(name string) (any, bool, error) { return w.scope.lookup(name, w.trail) }
func (w *within) Names() []string                       { return w.scope.Names() }
