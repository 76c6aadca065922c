package template

import (
	"github.com/foobar-play/foobar-play/pkg/value"
)

// resultTable: tests of a registered result, which is the (piped) argument:
// `when: failed .build`, `when: .build | changed`.
func resultTable() []*function {
	table := []*function{
		resultTest("changed", func(m map[string]any) any { return flag(m, "changed") }),
		resultTest("failed", func(m map[string]any) any { return flag(m, "failed") }),
		resultTest("skipped", func(m map[string]any) any { return flag(m, "skipped") }),
		resultTest("unreachable", func(m map[string]any) any { return flag(m, "unreachable") }),
		resultTest("succeeded", func(m map[string]any) any { return opposite(either(flag(m, "failed"), flag(m, "unreachable"))) }),
		resultTest("reachable", func(m map[string]any) any { return opposite(flag(m, "unreachable")) }),
	}
	for name, of := range map[string]string{"success": "succeeded", "change": "changed", "failure": "failed", "skip": "skipped", "successful": "succeeded"} {
		table = append(table, alias(table, name, of))
	}
	return table
}

func resultTest(name string, test func(map[string]any) any) *function {
	return &function{name: name, min: 1, max: 1, open: true, call: func(_ *run, a []any) (any, error) {
		switch m := a[0].(type) {
		case value.Unknown:
			return m, nil
		case map[string]any:
			return test(m), nil
		}
		return nil, &hinted{"a registered result is needed, this is " + describe(a[0]), "give it what a task's `register` names"}
	}}
}

// flag reads a result's key; when it is not there, of any of its loop's
// results. It gives a bool or an Unknown.
func flag(m map[string]any, key string) any {
	if v, ok := m[key]; ok {
		if u, unknown := isUnknown(v); unknown {
			return u
		}
		return truth(v)
	}
	var out any = false
	items, _ := m["results"].([]any)
	for _, item := range items {
		if r, ok := item.(map[string]any); ok {
			out = either(out, flag(r, key))
		} else if u, unknown := isUnknown(item); unknown {
			out = either(out, u)
		}
	}
	if key == "skipped" && len(items) > 0 {
		return allSkipped(items)
	}
	return out
}

// allSkipped: a loop is skipped when all of its items are.
func allSkipped(items []any) any {
	for _, item := range items {
		r, ok := item.(map[string]any)
		if u, unknown := isUnknown(item); unknown {
			return u
		}
		if !ok || flag(r, "skipped") != true {
			return false
		}
	}
	return true
}

// either is true when one is, else Unknown when one is.
func either(a, b any) any {
	if a == true || b == true {
		return true
	}
	if _, ok := isUnknown(a); ok {
		return a
	}
	return b
}

func opposite(v any) any {
	if b, ok := v.(bool); ok {
		return !b
	}
	return v
}
