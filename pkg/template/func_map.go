package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// mapTable: maps. None changes its arguments, but for set and unset on a map
// that the same template made.
func mapTable() []*function {
	table := []*function{
		{name: "dict", max: -1, open: true, call: dict},
		{name: "get", min: 2, max: 2, open: true, call: func(r *run, a []any) (any, error) { return index(r, a) }},
		{name: "hasKey", min: 2, max: 2, open: true, soft: first, call: hasKey},
		{name: "keys", min: 1, max: -1, open: true, call: mapKeys},
		{name: "values", min: 1, max: 1, open: true, call: mapValues},
		{name: "pick", min: 1, max: -1, open: true, call: func(r *run, a []any) (any, error) { return picked(r, a, true) }},
		{name: "omit", min: 1, max: -1, open: true, call: func(r *run, a []any) (any, error) { return picked(r, a, false) }},
		{name: "pluck", min: 1, max: -1, open: true, call: pluck},
		{name: "dig", min: 3, max: -1, open: true, soft: last, call: dig},
		{name: "set", min: 3, max: 3, open: true, call: set},
		{name: "unset", min: 2, max: 2, open: true, call: unsetKey},
		{name: "deepCopy", min: 1, max: 1, open: true, call: func(r *run, a []any) (any, error) {
			v, err := whole(a[0])
			return r.copied(v), err
		}},
		{name: "merge", min: 1, max: -1, open: true, call: func(r *run, a []any) (any, error) {
			a = slices.Clone(a)
			slices.Reverse(a)
			return merged(r, a, true)
		}},
		{name: "mergeOverwrite", min: 1, max: -1, open: true, call: func(r *run, a []any) (any, error) { return merged(r, a, true) }},
		{name: "combine", min: 1, max: -1, open: true, call: combine},
		{name: "dict2items", min: 1, max: 1, open: true, call: dict2items},
		{name: "items2dict", min: 1, max: 3, open: true, call: items2dict},
	}
	for name, of := range map[string]string{"mustMerge": "merge", "mustMergeOverwrite": "mergeOverwrite", "mustDeepCopy": "deepCopy"} {
		table = append(table, alias(table, name, of))
	}
	return table
}

// openMap is a map for open functions: an Unknown stops the evaluation, a lazy
// map is made whole.
func openMap(v any) (map[string]any, error) {
	switch x := v.(type) {
	case map[string]any:
		return x, nil
	case value.Unknown:
		return nil, &unknownStop{x}
	case Getter:
		w, err := whole(x)
		m, _ := w.(map[string]any)
		return m, err
	}
	return mapOf(v)
}

// known is a key or other small argument, for open functions.
func known(v any) (string, error) {
	if u, ok := isUnknown(v); ok {
		return "", &unknownStop{u}
	}
	return textOf(v)
}

func dict(r *run, a []any) (any, error) {
	if len(a)%2 != 0 {
		return nil, errors.New("keys and values come in pairs; the last key has no value")
	}
	out := make(map[string]any, len(a)/2)
	for i := 0; i < len(a); i += 2 {
		k, err := known(a[i])
		if err != nil {
			return nil, fmt.Errorf("a key: %w", err)
		}
		out[k] = a[i+1]
	}
	return r.own(out), nil
}

func hasKey(_ *run, a []any) (any, error) {
	if _, no := a[0].(*undefined); no || a[0] == nil {
		return false, nil
	}
	if u, ok := isUnknown(a[0]); ok {
		return u, nil
	}
	k, err := known(a[1])
	if err != nil {
		return nil, err
	}
	switch a[0].(type) {
	case map[string]any, Getter:
		_, found, err := member(a[0], k)
		return found, err
	}
	return nil, wanted(false, "a map", a[0])
}

func mapKeys(_ *run, a []any) (any, error) {
	out := []any{}
	for _, v := range a {
		var names []string
		if g, ok := v.(Getter); ok {
			names = g.Keys()
		} else {
			m, err := openMap(v)
			if err != nil {
				return nil, err
			}
			names = value.Keys(m)
		}
		for _, k := range names {
			out = append(out, k)
		}
	}
	return out, nil
}

func mapValues(_ *run, a []any) (any, error) {
	m, err := openMap(a[0])
	out := []any{}
	for _, k := range value.Keys(m) {
		out = append(out, m[k])
	}
	return out, err
}

// picked keeps (or drops) fields; the keys may be given as lists.
func picked(r *run, a []any, keep bool) (any, error) {
	m, err := openMap(a[0])
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, k := range flat(nil, a[1:], -1) {
		name, err := known(k)
		if err != nil {
			return nil, err
		}
		names[name] = true
	}
	out := map[string]any{}
	for k, v := range m {
		if names[k] == keep {
			out[k] = v
		}
	}
	return r.own(out), nil
}

func pluck(_ *run, a []any) (any, error) {
	k, err := known(a[0])
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, v := range a[1:] {
		m, err := openMap(v)
		if err != nil {
			return nil, err
		}
		if e, ok := m[k]; ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// dig is `dig KEY… DEFAULT MAP`.
func dig(_ *run, a []any) (any, error) {
	n := len(a)
	v, fallback := a[n-1], a[n-2]
	if _, no := v.(*undefined); no {
		return fallback, nil
	}
	for _, key := range a[:n-2] {
		k, err := known(key)
		if err != nil {
			return nil, err
		}
		switch v.(type) {
		case map[string]any, Getter, value.Unknown, nil:
		default:
			return nil, fmt.Errorf("%q is looked for in %s", k, describe(v))
		}
		next, found, err := member(v, k)
		if err != nil || !found {
			return fallback, err
		}
		v = next
	}
	return v, nil
}

var errShared = &hinted{
	"this map is a variable's and cannot be changed",
	"make a copy first: {{ $m := deepCopy .map }}, or use combine",
}

func set(r *run, a []any) (any, error) {
	m, err := openMap(a[0])
	if err != nil {
		return nil, err
	}
	if !r.owns(m) {
		return nil, errShared
	}
	k, err := known(a[1])
	if err != nil {
		return nil, err
	}
	if within(a[2], m) {
		return nil, errors.New("a map cannot hold itself")
	}
	m[k] = a[2]
	return m, nil
}

// within reports whether a map is inside a value.
func within(v any, m map[string]any) bool {
	switch x := v.(type) {
	case []any:
		return slices.ContainsFunc(x, func(e any) bool { return within(e, m) })
	case map[string]any:
		if same(x, m) {
			return true
		}
		for _, e := range x {
			if within(e, m) {
				return true
			}
		}
	}
	return false
}

func unsetKey(r *run, a []any) (any, error) {
	m, err := openMap(a[0])
	if err != nil {
		return nil, err
	}
	if !r.owns(m) {
		return nil, errShared
	}
	k, err := known(a[1])
	delete(m, k)
	return m, err
}

// copied is a deep copy, whose maps the template may change.
func (r *run) copied(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = r.copied(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = r.copied(e)
		}
		return r.own(out)
	}
	return v
}

// merged lays maps over each other, the later ones on top; deep goes into maps
// that both sides have.
func merged(r *run, layers []any, deep bool) (any, error) {
	out := map[string]any{}
	for _, v := range layers {
		m, err := openMap(v)
		if err != nil {
			return nil, err
		}
		overlay(out, m, deep)
	}
	return r.own(out), nil
}

func overlay(out, m map[string]any, deep bool) {
	for k, v := range m {
		below, isMap := out[k].(map[string]any)
		above, isMap2 := v.(map[string]any)
		if deep && isMap && isMap2 {
			both := maps.Clone(below)
			overlay(both, above, deep)
			v = both
		}
		out[k] = v
	}
}

// combine is `.a | combine .b …`: .b over .a, the last one on top; with
// "recursive" before the maps it goes into maps that both have.
func combine(r *run, a []any) (any, error) {
	word, deep := a[0].(string)
	if deep {
		if word != "recursive" {
			return nil, fmt.Errorf("%q is not understood; there is \"recursive\"", word)
		}
		a = a[1:]
	}
	if len(a) == 0 {
		return nil, errors.New("a map is missing")
	}
	last := len(a) - 1
	return merged(r, append([]any{a[last]}, a[:last]...), deep)
}

func dict2items(_ *run, a []any) (any, error) {
	m, err := openMap(a[0])
	out := []any{}
	for _, k := range value.Keys(m) {
		out = append(out, map[string]any{"key": k, "value": m[k]})
	}
	return out, err
}

// items2dict is `.items | items2dict`, or with other names of the fields,
// `.items | items2dict "name" "uid"`.
func items2dict(r *run, a []any) (any, error) {
	list, err := openList(a[len(a)-1])
	if err != nil {
		return nil, err
	}
	names := []string{"key", "value"}
	for i, v := range a[:len(a)-1] {
		if names[i], err = known(v); err != nil {
			return nil, err
		}
	}
	out := map[string]any{}
	for i, item := range list {
		m, err := openMap(item)
		if err != nil {
			return nil, itemError(i, err)
		}
		for _, n := range names {
			if _, ok := m[n]; !ok {
				return nil, itemError(i, noAttribute(m, n))
			}
		}
		k, err := known(m[names[0]])
		if err != nil {
			return nil, itemError(i, err)
		}
		out[k] = m[names[1]]
	}
	return r.own(out), nil
}
