package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// selectTable: functions over the items of a list, which is the last argument.
//
//	.users | map "attribute" "name"      .users | map "attribute" "name" "nobody"
//	.names | map "upper"                 .names | map "regex_replace" "a" "b"
//	.users | selectattr "enabled"        .users | selectattr "uid" "ge" 1000
//	.users | rejectattr "shell" "defined"
//	.names | select "match" "^web"       .names | reject "in" .others
func selectTable() []*function {
	return []*function{
		{name: "map", min: 2, max: -1, open: true, check: checkMap, call: mapItems},
		{name: "select", min: 1, max: -1, check: checkTest(0), call: func(r *run, a []any) (any, error) { return filter(r, a, false, true) }},
		{name: "reject", min: 1, max: -1, check: checkTest(0), call: func(r *run, a []any) (any, error) { return filter(r, a, false, false) }},
		{name: "selectattr", min: 2, max: -1, check: checkTest(1), call: func(r *run, a []any) (any, error) { return filter(r, a, true, true) }},
		{name: "rejectattr", min: 2, max: -1, check: checkTest(1), call: func(r *run, a []any) (any, error) { return filter(r, a, true, false) }},
		{name: "extract", min: 2, max: -1, open: true, call: extract},
	}
}

// testNames are Ansible's other names for tests.
var testNames = map[string]string{
	"equalto": "eq", "==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
	"greaterthan": "gt", "lessthan": "lt", "sameas": "eq",
}

// orderTests take the item first, so that `selectattr "n" "gt" 5` reads as it
// is meant.
var orderTests = []string{"lt", "le", "gt", "ge"}

func (e *Engine) item(name string) (*function, error) {
	if other, ok := testNames[name]; ok {
		name = other
	}
	f, ok := e.funcs[name]
	if !ok || f.form != nil && name != "not" && name != "default" {
		return nil, &hinted{fmt.Sprintf("there is no function %q for items", name), diag.DidYouMean(name, e.names)}
	}
	return f, nil
}

// checkTest looks at a constant name of a test.
func checkTest(at int) func(*Engine, []parse.Node) error {
	return func(e *Engine, args []parse.Node) error {
		if len(args) <= at {
			return nil
		}
		if name, ok := args[at].(*parse.StringNode); ok {
			_, err := e.item(name.Text)
			return err
		}
		return nil
	}
}

func checkMap(e *Engine, args []parse.Node) error {
	if name, ok := args[0].(*parse.StringNode); ok && name.Text != "attribute" {
		_, err := e.item(name.Text)
		return err
	}
	return nil
}

func mapItems(r *run, a []any) (any, error) {
	list, err := openList(a[len(a)-1])
	if err != nil {
		return nil, err
	}
	name, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	args := a[1 : len(a)-1]
	out := make([]any, len(list))
	for i, item := range list {
		if name == "attribute" {
			out[i], err = attributeOr(item, args)
		} else {
			out[i], err = r.apply(name, args, item)
		}
		if err != nil {
			return nil, itemError(i, err)
		}
	}
	return out, nil
}

func itemError(i int, err error) error {
	return fmt.Errorf("item %d: %w", i, err)
}

// apply calls a function with an item as its last argument.
func (r *run) apply(name string, args []any, item any) (any, error) {
	f, err := r.eng.item(name)
	if err != nil {
		return nil, err
	}
	all := append(slices.Clone(args), item)
	if slices.Contains(orderTests, f.name) && len(all) == 2 {
		all[0], all[1] = all[1], all[0]
	}
	if wrong := f.arity(len(all)); wrong != "" {
		return nil, errors.New(wrong)
	}
	switch f.name {
	case "not":
		return !truth(item), nil
	case "default":
		if unset(item) {
			return args[0], nil
		}
		return item, nil
	}
	n := len(all)
	for i, v := range all {
		if u, ok := v.(*undefined); ok && !f.soft.accepts(i, n) {
			return nil, u.err()
		}
		if u, ok := findUnknown(v); ok && !f.open {
			return u, nil
		}
	}
	return f.call(r, all)
}

// attribute follows a dotted path into an item; found is false when a link is
// missing.
func attribute(item any, path string) (v any, found bool, err error) {
	v = item
	for _, key := range strings.Split(path, ".") {
		if v, found, err = member(v, key); err != nil || !found {
			return nil, false, err
		}
	}
	return v, true, nil
}

func noAttribute(item any, path string) error {
	hint := ""
	if m, ok := item.(map[string]any); ok {
		hint = diag.DidYouMean(path, value.Keys(m))
	} else if _, unknown := isUnknown(item); !unknown {
		hint = "the items of the list are no maps"
	}
	return &hinted{fmt.Sprintf("has no %q", path), hint}
}

func attributeOr(item any, args []any) (any, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, errors.New(`write map "attribute" "name", with a default as third argument if it may be missing`)
	}
	path, err := textOf(args[0])
	if err != nil {
		return nil, err
	}
	v, found, err := attribute(item, path)
	switch {
	case err != nil || found:
		return v, err
	case len(args) == 2:
		return args[1], nil
	}
	return nil, noAttribute(item, path)
}

// filter keeps the items for which a test holds (or does not). Arguments: the
// attribute when byAttr, the test and its arguments, the list. Without a test
// it is truth.
func filter(r *run, a []any, byAttr, keep bool) (any, error) {
	list, err := listOf(a[len(a)-1])
	if err != nil {
		return nil, err
	}
	args := a[:len(a)-1]
	path := ""
	if byAttr {
		if path, err = textOf(args[0]); err != nil {
			return nil, err
		}
		args = args[1:]
	}
	out := []any{}
	for i, item := range list {
		v := item
		if byAttr {
			var found bool
			if v, found, err = attribute(item, path); err != nil {
				return nil, itemError(i, err)
			}
			if !found {
				v = &undefined{path: path, container: item, key: path, pos: r.pos(r.here)}
			}
		}
		yes, err := r.holds(args, v)
		if u, ok := v.(*undefined); ok && err != nil {
			return nil, itemError(i, noAttribute(u.container, path))
		}
		if err != nil {
			return nil, itemError(i, err)
		}
		if yes == keep {
			out = append(out, item)
		}
	}
	return out, nil
}

// holds applies a test, its name first, to an item.
func (r *run) holds(test []any, item any) (bool, error) {
	if len(test) == 0 {
		if u, ok := item.(*undefined); ok {
			return false, u.err()
		}
		return truth(item), nil
	}
	name, err := textOf(test[0])
	if err != nil {
		return false, err
	}
	v, err := r.apply(name, test[1:], item)
	if err != nil {
		return false, err
	}
	return truth(v), nil
}

// extract is `extract CONTAINER KEY…`, the first key last, so that it can be
// mapped: .groups.web | map "extract" .hostvars "ansible_host".
func extract(r *run, a []any) (any, error) {
	keys := append([]any{a[len(a)-1]}, a[1:len(a)-1]...)
	v, err := index(r, append([]any{a[0]}, keys...))
	if u, ok := v.(*undefined); ok && err == nil {
		return nil, u.err()
	}
	return v, err
}
