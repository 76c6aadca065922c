package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// listTable: lists. None changes its arguments.
func listTable() []*function {
	table := []*function{
		{name: "list", max: -1, open: true, call: func(_ *run, a []any) (any, error) { return a, nil }},
		{name: "len", min: 1, max: 1, open: true, call: length},
		{name: "index", min: 1, max: -1, open: true, call: index},
		{name: "slice", min: 1, max: 3, open: true, call: slice},
		{name: "first", min: 1, max: 1, open: true, call: func(_ *run, a []any) (any, error) { return end(a[0], 0) }},
		{name: "last", min: 1, max: 1, open: true, call: func(_ *run, a []any) (any, error) { return end(a[0], -1) }},
		{name: "has", min: 2, max: 2, call: func(_ *run, a []any) (any, error) { return contains(a[1], a[0]) }},
		{name: "join", min: 1, max: 2, call: joinText},
		{name: "concat", max: -1, open: true, call: concat},
		onList("rest", func(l []any) (any, error) { return l[min(1, len(l)):], nil }),
		onList("initial", func(l []any) (any, error) { return l[:max(0, len(l)-1)], nil }),
		onList("reverse", func(l []any) (any, error) {
			l = slices.Clone(l)
			slices.Reverse(l)
			return l, nil
		}),
		onList("compact", func(l []any) (any, error) {
			return slices.DeleteFunc(slices.Clone(l), func(v any) bool { return !truth(v) }), nil
		}),
		onList("unique", func(l []any) (any, error) { return unique(l), nil }),
		onList("sort", func(l []any) (any, error) { return sorted(l) }),
		onList("sortAlpha", func(l []any) (any, error) { return sortAlpha(l), nil }),
		onList("toStrings", func(l []any) (any, error) { return texts(l), nil }),
		{name: "flatten", min: 1, max: 2, call: flatten},
		{name: "append", min: 2, max: 2, open: true, call: func(_ *run, a []any) (any, error) {
			l, err := openList(a[0])
			return append(slices.Clone(l), a[1]), err
		}},
		{name: "prepend", min: 2, max: 2, open: true, call: func(_ *run, a []any) (any, error) {
			l, err := openList(a[0])
			return append([]any{a[1]}, l...), err
		}},
		{name: "without", min: 1, max: -1, call: func(_ *run, a []any) (any, error) {
			l, err := listOf(a[0])
			return slices.DeleteFunc(slices.Clone(l), func(v any) bool { return holds(a[1:], v) }), err
		}},
		{name: "chunk", min: 2, max: 2, call: chunk},
	}
	table = append(table, setOps()...)
	for name, of := range map[string]string{"tuple": "list", "length": "len", "count": "len", "push": "append", "uniq": "unique"} {
		table = append(table, alias(table, name, of))
	}
	for _, name := range []string{"append", "push", "prepend", "first", "last", "rest", "initial", "reverse", "compact", "uniq", "without", "has", "slice", "chunk"} {
		table = append(table, alias(table, "must"+strings.ToUpper(name[:1])+name[1:], name))
	}
	return table
}

// setOps are functions of two lists.
func setOps() []*function {
	return []*function{
		setOp("union", func(a, b []any) []any { return unique(slices.Concat(a, b)) }),
		setOp("intersect", func(a, b []any) []any {
			return slices.DeleteFunc(unique(a), func(v any) bool { return !holds(b, v) })
		}),
		setOp("difference", func(a, b []any) []any {
			return slices.DeleteFunc(unique(a), func(v any) bool { return holds(b, v) })
		}),
		setOp("symmetric_difference", func(a, b []any) []any {
			return slices.DeleteFunc(unique(slices.Concat(a, b)), func(v any) bool { return holds(a, v) && holds(b, v) })
		}),
		setOp("zip", func(a, b []any) []any {
			out := []any{}
			for i := range min(len(a), len(b)) {
				out = append(out, []any{a[i], b[i]})
			}
			return out
		}),
	}
}

// onList makes a function of one list, which is known all through.
func onList(name string, f func([]any) (any, error)) *function {
	return &function{name: name, min: 1, max: 1, call: func(_ *run, a []any) (any, error) {
		l, err := listOf(a[0])
		if err != nil {
			return nil, err
		}
		return f(l)
	}}
}

// setOp makes a function of two lists; the piped one is the first operand.
func setOp(name string, f func(a, b []any) []any) *function {
	return &function{name: name, min: 2, max: 2, call: func(_ *run, args []any) (any, error) {
		b, err := listOf(args[0])
		if err != nil {
			return nil, fmt.Errorf("argument 1: %w", err)
		}
		a, err := listOf(args[1])
		if err != nil {
			return nil, fmt.Errorf("argument 2: %w", err)
		}
		return f(a, b), nil
	}}
}

// openList is listOf for open functions, where an Unknown stops the
// evaluation.
func openList(v any) ([]any, error) {
	if u, ok := isUnknown(v); ok {
		return nil, &unknownStop{u}
	}
	return listOf(v)
}

func holds(list []any, v any) bool {
	return slices.ContainsFunc(list, func(e any) bool { return value.Equal(e, v) })
}

func unique(list []any) []any {
	out := []any{}
	seen := map[any]bool{}
	for _, v := range list {
		switch v.(type) {
		case string, bool, nil: // comparable, and equal to their own kind only
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		default:
			if !holds(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

func length(_ *run, a []any) (any, error) {
	switch x := a[0].(type) {
	case value.Unknown:
		return x, nil
	case string:
		return len([]rune(x)), nil
	case []any:
		return len(x), nil
	case map[string]any:
		return len(x), nil
	case Getter:
		return len(x.Keys()), nil
	}
	return nil, wanted(false, "a text, a list or a map", a[0])
}

// index takes items of lists (a negative number counts from the end) and
// fields of maps. What is not there is undefined.
func index(r *run, a []any) (any, error) {
	v := a[0]
	for _, k := range a[1:] {
		if u, ok := isUnknown(v); ok {
			return u, nil
		}
		if u, ok := isUnknown(k); ok {
			return u, nil
		}
		next, found, err := item(v, k)
		if err != nil {
			return nil, err
		}
		if !found {
			return &undefined{path: fmt.Sprintf("item %s", shown(k)), container: v, key: value.Text(k), item: true, pos: r.pos(r.here)}, nil
		}
		v = next
	}
	return v, nil
}

// shown is a key or number as a person writes it.
func shown(k any) string {
	if s, ok := k.(string); ok {
		return quoted(s)
	}
	return value.Text(k)
}

func item(v, k any) (any, bool, error) {
	switch c := v.(type) {
	case []any:
		i, err := wholeNumber(k)
		if err != nil {
			return nil, false, err
		}
		if i < 0 {
			i += len(c)
		}
		if i < 0 || i >= len(c) {
			return nil, false, nil
		}
		return native(c[i]), true, nil
	case map[string]any, Getter:
		key, err := textOf(k)
		if err != nil {
			return nil, false, err
		}
		return member(c, key)
	case string:
		return nil, false, errors.New("a string has no items; `substr` cuts pieces out")
	}
	return nil, false, nil
}

func slice(_ *run, a []any) (any, error) {
	if u, ok := isUnknown(a[0]); ok {
		return u, nil
	}
	s, isText := a[0].(string)
	runes := []rune(s)
	l, isList := a[0].([]any)
	if !isText && !isList {
		return nil, wanted(false, "a list or a text", a[0])
	}
	from, to := 0, max(len(l), len(runes))
	for i, b := range []*int{&from, &to} {
		if len(a) > i+1 {
			n, err := wholeNumber(a[i+1])
			if err != nil {
				return nil, err
			}
			*b = n
		}
	}
	if from < 0 || from > to || to > max(len(l), len(runes)) {
		return nil, fmt.Errorf("%d to %d is outside of the length %d", from, to, max(len(l), len(runes)))
	}
	if isText {
		return string(runes[from:to]), nil
	}
	return l[from:to:to], nil
}

// end is the first or last item of a list or character of a text; of an empty
// one, null.
func end(v any, i int) (any, error) {
	if u, ok := isUnknown(v); ok {
		return u, nil
	}
	if s, ok := v.(string); ok {
		v = value.Normalize(strings.Split(s, ""))
	}
	l, err := listOf(v)
	if err != nil || len(l) == 0 {
		return nil, err
	}
	if i < 0 {
		i += len(l)
	}
	return native(l[i]), nil
}

// joinText joins a list's items as text; without a separator, directly.
func joinText(_ *run, a []any) (any, error) {
	l, err := listOf(a[len(a)-1])
	if err != nil {
		return nil, err
	}
	sep := ""
	if len(a) == 2 {
		if sep, err = textOf(a[0]); err != nil {
			return nil, err
		}
	}
	words := make([]string, len(l))
	for i, v := range l {
		words[i] = value.Text(v)
	}
	return strings.Join(words, sep), nil
}

func concat(_ *run, a []any) (any, error) {
	out := []any{}
	for _, v := range a {
		l, err := openList(v)
		if err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return out, nil
}

// sorted orders numbers or texts, not both.
func sorted(l []any) (any, error) {
	out := slices.Clone(l)
	var wrong error
	slices.SortStableFunc(out, func(a, b any) int {
		c, ok := value.Compare(a, b)
		if !ok && wrong == nil {
			wrong = fmt.Errorf("%s and %s have no order", describe(a), describe(b))
		}
		return c
	})
	return out, wrong
}

func sortAlpha(l []any) []any {
	out := texts(l)
	slices.SortFunc(out, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	return out
}

func texts(l []any) []any {
	out := make([]any, len(l))
	for i, v := range l {
		out[i] = value.Text(v)
	}
	return out
}

// flatten takes lists out of lists, all the way or as many levels as it is
// told; null items are left out.
func flatten(_ *run, a []any) (any, error) {
	l, err := listOf(a[len(a)-1])
	levels := -1
	if err == nil && len(a) == 2 {
		levels, err = wholeNumber(a[0])
	}
	if err != nil {
		return nil, err
	}
	return flat([]any{}, l, levels), nil
}

func flat(out, l []any, levels int) []any {
	for _, v := range l {
		switch inner, ok := v.([]any); {
		case ok && levels != 0:
			out = flat(out, inner, levels-1)
		case v != nil:
			out = append(out, v)
		}
	}
	return out
}

func chunk(_ *run, a []any) (any, error) {
	n, err := wholeNumber(a[0])
	if err == nil && n < 1 {
		err = errors.New("a chunk has at least one item")
	}
	if err != nil {
		return nil, err
	}
	l, err := listOf(a[1])
	out := []any{}
	for c := range slices.Chunk(l, n) {
		out = append(out, c)
	}
	return out, err
}
