package template

import (
	"errors"
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// logicTable: what decides, and what accepts undefined.
func logicTable() []*function {
	return []*function{
		{name: "and", min: 1, max: -1, form: func(s site) (any, error) { return s.junction(false) }},
		{name: "or", min: 1, max: -1, form: func(s site) (any, error) { return s.junction(true) }},
		{name: "not", min: 1, max: 1, form: negation},
		{name: "default", min: 1, max: 2, soft: last, form: fallback},
		{name: "coalesce", min: 1, max: -1, soft: all, form: coalesce},
		{name: "ternary", min: 3, max: 3, form: ternary},
		{name: "defined", min: 1, max: 1, soft: last, open: true, call: func(_ *run, a []any) (any, error) {
			_, no := a[0].(*undefined)
			return !no, nil
		}},
		{name: "undefined", min: 1, max: 1, soft: last, open: true, call: func(_ *run, a []any) (any, error) {
			_, no := a[0].(*undefined)
			return no, nil
		}},
		{name: "empty", min: 1, max: 1, soft: last, open: true, call: func(_ *run, a []any) (any, error) {
			if u, ok := isUnknown(a[0]); ok {
				return u, nil
			}
			_, no := a[0].(*undefined)
			return no || !truth(a[0]), nil
		}},
		{name: "required", min: 2, max: 2, soft: last, open: true, call: required},
		{name: "mandatory", min: 1, max: 2, soft: last, open: true, call: mandatory},
		{name: "fail", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return nil, errors.New(value.Text(a[0])) }},
		{name: "all", min: 0, max: -1, call: func(_ *run, a []any) (any, error) { return allTrue(spread(a)), nil }},
		{name: "any", min: 0, max: -1, call: func(_ *run, a []any) (any, error) { return anyTrue(spread(a)), nil }},
		{name: "include", min: 2, max: 2, open: true, call: include},
		{name: "tpl", min: 2, max: 2, open: true, call: tpl},
	}
}

// junction is and (until the first false) or or (until the first true): the
// value that decides. What is Unknown does not decide; if nothing else does,
// it is the result, and a later argument's failure is no failure, because the
// unknown one may have been its guard.
func (s site) junction(decides bool) (any, error) {
	var pending *value.Unknown
	var v any
	for i := range s.count() {
		var err error
		v, err = s.need(i, s.mode)
		if err == nil {
			if u, ok := isUnknown(v); ok {
				if pending == nil {
					pending = &u
				}
				continue
			}
			var yes bool
			if yes, err = s.truth(i, v, s.mode); err == nil && yes == decides {
				return v, nil
			}
		}
		if err != nil && pending == nil {
			return nil, err
		}
	}
	if pending != nil {
		return *pending, nil
	}
	return v, nil
}

func negation(s site) (any, error) {
	v, err := s.need(0, s.mode)
	if err != nil {
		return nil, err
	}
	if u, ok := isUnknown(v); ok {
		return u, nil
	}
	yes, err := s.truth(0, v, s.mode)
	return !yes, err
}

// unset reports whether default and coalesce pass over a value.
func unset(v any) bool {
	switch x := v.(type) {
	case nil, *undefined:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

// fallback is default: the last argument, unless it is unset.
func fallback(s site) (any, error) {
	if s.count() == 1 {
		return s.arg(0)
	}
	v, err := s.arg(1)
	if err != nil || !unset(v) {
		return v, err
	}
	return s.arg(0)
}

func coalesce(s site) (any, error) {
	for i := range s.count() {
		v, err := s.arg(i)
		if err != nil || !unset(v) {
			return v, err
		}
	}
	return nil, nil
}

func ternary(s site) (any, error) {
	cond, err := s.need(2, asCondition)
	if err != nil {
		return nil, err
	}
	if u, ok := isUnknown(cond); ok {
		return u, nil
	}
	yes, err := s.truth(2, cond, asCondition)
	switch {
	case err != nil:
		return nil, err
	case yes:
		return s.arg(0)
	}
	return s.arg(1)
}

func required(_ *run, a []any) (any, error) {
	if _, no := a[1].(*undefined); no || a[1] == nil || a[1] == "" {
		return nil, errors.New(value.Text(a[0]))
	}
	return a[1], nil
}

func mandatory(_ *run, a []any) (any, error) {
	v := a[len(a)-1]
	u, no := v.(*undefined)
	switch {
	case no && len(a) == 2:
		return nil, errors.New(value.Text(a[0]))
	case no:
		return nil, u.err()
	}
	return v, nil
}

// spread takes the arguments of a function that is given either a list or the
// items one by one.
func spread(a []any) []any {
	if len(a) == 1 {
		if l, ok := a[0].([]any); ok {
			return l
		}
	}
	return a
}

func allTrue(list []any) bool {
	for _, v := range list {
		if !truth(v) {
			return false
		}
	}
	return true
}

func anyTrue(list []any) bool {
	for _, v := range list {
		if truth(v) {
			return true
		}
	}
	return false
}

// include renders a defined template to text.
func include(r *run, a []any) (any, error) {
	name, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	return r.captured(func() error { return r.call(r.here, name, a[1]) })
}

// captured is what f prints; an Unknown in it is the result.
func (r *run) captured(f func() error) (any, error) {
	outer := r.out
	r.out = &strings.Builder{}
	err := f()
	text := r.out.String()
	r.out = outer
	if err != nil {
		return r.unknown(err)
	}
	return text, nil
}

// tpl evaluates a text that is itself a template, with a dot of its own.
func tpl(r *run, a []any) (any, error) {
	if u, ok := isUnknown(a[0]); ok {
		return u, nil
	}
	text, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	c, err := r.eng.tpl(text, r.pos(r.here))
	if err != nil {
		return nil, err
	}
	if r.depth++; r.depth > maxDepth {
		return nil, errors.New("templates evaluate each other without end")
	}
	if err := r.step(r.here); err != nil {
		return nil, err
	}
	defer func(prog *program, defs map[string]definition, dot any, vars []variable, here parse.Node) {
		r.depth--
		r.prog, r.defs, r.dot, r.vars, r.here = prog, defs, dot, vars, here
	}(r.prog, r.defs, r.dot, r.vars, r.here)
	r.prog, r.dot, r.vars = c.program, a[1], []variable{{"$", a[1]}}
	if len(c.defs) > 0 {
		r.defs = c.defs
	}
	return r.captured(func() error { return r.list(c.root) })
}

// maxTpls bounds the texts of tpl that are kept compiled.
const maxTpls = 1000

func (e *Engine) tpl(text string, pos diag.Pos) (*compiled, error) {
	e.texts.Lock()
	c := e.tpls[text]
	e.texts.Unlock()
	if c != nil {
		return c, nil
	}
	// The text has no place in a file: all of it is where tpl is called.
	p, bad := parseText(text, delims{}, func(int) diag.Pos { return pos })
	if bad != nil {
		return nil, *bad
	}
	var list diag.List
	c = e.check(p, nil, &list)
	if err := list.Err(); err != nil {
		return nil, err
	}
	e.texts.Lock()
	defer e.texts.Unlock()
	if len(e.tpls) >= maxTpls {
		clear(e.tpls)
	}
	e.tpls[text] = c
	return c, nil
}
