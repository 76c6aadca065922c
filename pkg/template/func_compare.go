package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// compareTable: comparison by value.
func compareTable() []*function {
	return []*function{
		{name: "eq", min: 2, max: -1, call: func(_ *run, a []any) (any, error) {
			return slices.ContainsFunc(a[1:], func(b any) bool { return value.Equal(a[0], b) }), nil
		}},
		{name: "ne", min: 2, max: 2, call: func(_ *run, a []any) (any, error) { return !value.Equal(a[0], a[1]), nil }},
		ordering("lt", func(c int) bool { return c < 0 }),
		ordering("le", func(c int) bool { return c <= 0 }),
		ordering("gt", func(c int) bool { return c > 0 }),
		ordering("ge", func(c int) bool { return c >= 0 }),
		{name: "deepEqual", min: 2, max: 2, call: func(_ *run, a []any) (any, error) { return value.Equal(a[0], a[1]), nil }},
		{name: "in", min: 2, max: 2, call: func(_ *run, a []any) (any, error) { return contains(a[0], a[1]) }},
		{name: "contains", min: 2, max: 2, call: func(_ *run, a []any) (any, error) { return contains(a[1], a[0]) }},
		{name: "version", min: 2, max: 3, call: versionTest},
	}
}

func ordering(name string, holds func(int) bool) *function {
	return &function{name: name, min: 2, max: 2, call: func(_ *run, a []any) (any, error) {
		c, ok := value.Compare(a[0], a[1])
		if !ok {
			err := &hinted{message: fmt.Sprintf("%s and %s have no order", describe(a[0]), describe(a[1]))}
			if value.Kind(a[0]) == "string" != (value.Kind(a[1]) == "string") {
				err.hint = "convert the text: `int` or `float`"
			}
			return nil, err
		}
		return holds(c), nil
	}}
}

// contains looks for an item in a list, a key in a map, or a piece of a text.
func contains(container, v any) (bool, error) {
	switch c := container.(type) {
	case []any:
		return slices.ContainsFunc(c, func(e any) bool { return value.Equal(e, v) }), nil
	case map[string]any:
		k, ok := v.(string)
		_, found := c[k]
		return ok && found, nil
	case string:
		s, err := textOf(v)
		if err != nil {
			return false, err
		}
		return strings.Contains(c, s), nil
	}
	return false, fmt.Errorf("looks in a list, a map or a text, not in %s", describe(container))
}

// versionTest is `.v | version "12" ">="`; without an operator it is equality.
func versionTest(_ *run, a []any) (any, error) {
	have, err := textOf(a[len(a)-1])
	if err != nil {
		return nil, err
	}
	want, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	op := "=="
	if len(a) == 3 {
		if op, err = textOf(a[1]); err != nil {
			return nil, err
		}
	}
	holds, ok := versionOps[op]
	if !ok {
		return nil, fmt.Errorf("%q is no comparison; there are == != < <= > >= and eq ne lt le gt ge", op)
	}
	if have == "" || want == "" {
		return nil, fmt.Errorf("an empty text is no version")
	}
	return holds(compareVersions(have, want)), nil
}

var versionOps = map[string]func(int) bool{
	"==": equalTo, "=": equalTo, "eq": equalTo,
	"!=": notEqualTo, "<>": notEqualTo, "ne": notEqualTo,
	"<": func(c int) bool { return c < 0 }, "lt": func(c int) bool { return c < 0 },
	"<=": func(c int) bool { return c <= 0 }, "le": func(c int) bool { return c <= 0 },
	">": func(c int) bool { return c > 0 }, "gt": func(c int) bool { return c > 0 },
	">=": func(c int) bool { return c >= 0 }, "ge": func(c int) bool { return c >= 0 },
}

func equalTo(c int) bool    { return c == 0 }
func notEqualTo(c int) bool { return c != 0 }

// compareVersions orders versions as Ansible's loose comparison does: number
// by number and word by word, where 1.2 is before 1.2.0. Where a number meets
// a word, which Ansible refuses, the word is before it (1.0.rc1 < 1.0.1).
func compareVersions(a, b string) int {
	x, y := versionParts(a), versionParts(b)
	for i := range min(len(x), len(y)) {
		if c := comparePart(x[i], y[i]); c != 0 {
			return c
		}
	}
	return len(x) - len(y)
}

func comparePart(a, b string) int {
	numA, numB := isDigit(a[0]), isDigit(b[0])
	switch {
	case numA && numB:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(a) != len(b) {
			return len(a) - len(b)
		}
	case numA:
		return 1
	case numB:
		return -1
	}
	return strings.Compare(a, b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// versionParts splits into runs of digits and runs of other characters; dots
// only divide.
func versionParts(s string) []string {
	var out []string
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' && (i == start || isDigit(s[i]) == isDigit(s[i-1])) {
			continue
		}
		if i > start {
			out = append(out, s[start:i])
		}
		start = i
		if i < len(s) && s[i] == '.' {
			start = i + 1
		}
	}
	return out
}
