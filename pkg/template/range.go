package template

import (
	"errors"
	"fmt"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// rang runs a range: over a list, a map by its sorted keys, or a number.
func (r *run) rang(n *parse.RangeNode) error {
	defer r.pop(len(r.vars))
	v, err := r.pipe(n.Pipe, asGo)
	if err != nil {
		return err
	}
	mark := len(r.vars)
	count := 0
	body := func(key, item any) error {
		count++
		return r.iteration(n, mark, key, item)
	}
	switch x := v.(type) {
	case *undefined:
		return x.err()
	case value.Unknown:
		return &unknownStop{x}
	case nil:
	case []any:
		for i := 0; i < len(x) && err == nil; i++ {
			err = body(i, native(x[i]))
		}
	case map[string]any:
		for _, k := range value.Keys(x) {
			if err = body(k, native(x[k])); err != nil {
				break
			}
		}
	case Getter:
		err = r.rangeGetter(n, x, body)
	case int:
		for i := 0; i < x && err == nil; i++ {
			err = body(i, i)
		}
	default:
		return r.errorf(n.Pipe, "range goes through a list, a map or a whole number, not %s", describe(v))
	}
	if err != nil && !errors.Is(err, errBreak) {
		return err
	}
	if count == 0 {
		return r.list(n.ElseList)
	}
	return nil
}

func (r *run) rangeGetter(n *parse.RangeNode, g Getter, body func(k, v any) error) error {
	for _, k := range g.Keys() {
		v, ok, err := g.Get(k)
		if err == nil && ok {
			err = body(k, native(v))
		}
		if err != nil {
			return positioned(err, r.pos(n.Pipe), "")
		}
	}
	return nil
}

// step counts one turn, and ends what takes too long.
func (r *run) step(n parse.Node) error {
	if err := r.done.Err(); err != nil {
		return positioned(fmt.Errorf("the evaluation was stopped: %w", err), r.pos(n), "")
	}
	if *r.steps++; *r.steps > maxSteps {
		return r.errorf(n, "more than %d turns of range: this would take too long", maxSteps)
	}
	return nil
}

func (r *run) iteration(n *parse.RangeNode, mark int, key, item any) error {
	if err := r.step(n); err != nil {
		return err
	}
	r.pop(mark)
	decl := n.Pipe.Decl
	values := []any{item}
	if len(decl) == 2 {
		values = []any{key, item}
	}
	for i, d := range decl {
		r.set(d.Ident[0], values[i])
	}
	old := r.dot
	r.dot = item
	err := r.list(n.List)
	r.dot = old
	if errors.Is(err, errContinue) {
		return nil
	}
	return err
}
