package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// root is the dot of a whole text: the variables, with the extra ones of a
// file over them.
type root struct {
	scope Scope
	extra map[string]any
}

// Get looks a variable up.
func (r *root) Get(name string) (any, bool, error) {
	if v, ok := r.extra[name]; ok {
		return v, true, nil
	}
	if r.scope == nil {
		return nil, false, nil
	}
	return r.scope.Lookup(name)
}

// Keys lists the variables' names.
func (r *root) Keys() []string {
	names := value.Keys(r.extra)
	if r.scope != nil {
		names = append(names, r.scope.Names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// undefined stands for a value that is not there, until something that does
// not accept it makes an error of it.
type undefined struct {
	path      string // as written, as far as it is missing: ".a.b"
	container any    // what lacks it
	key       string
	item      bool // taken by index or get
	pos       diag.Pos
}

func (u *undefined) err() *Error {
	message := fmt.Sprintf("%s is undefined", u.path)
	hint := `if it may be missing: {{ ` + u.path + ` | default "…" }} or {{ if defined ` + u.path + ` }}`
	if u.item {
		hint = "if it may be missing, pipe it into `default`"
	}
	switch c := u.container.(type) {
	case *root:
		if u.key != "" && u.key[0] >= 'A' && u.key[0] <= 'Z' {
			hint = `if another program is to read the braces, put !unsafe before the text`
		}
		hint = prefer(diag.DidYouMean(u.key, c.Keys()), hint)
	case Getter:
		hint = prefer(diag.DidYouMean(u.key, c.Keys()), hint)
	case map[string]any:
		hint = prefer(diag.DidYouMean(u.key, value.Keys(c)), hint)
		if len(c) == 0 {
			message += ": the map is empty"
		}
	case []any:
		message += fmt.Sprintf(": %s is a list of %d", u.parent(), len(c))
		if !u.item {
			hint = "take an item with `index` or go through it with `range`"
		}
	default:
		message += fmt.Sprintf(": %s is %s", u.parent(), describe(c))
	}
	return &Error{Diagnostic: diag.Diagnostic{Pos: u.pos, Message: message, Hint: hint}, Undefined: u.path}
}

func prefer(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// parent is the path without its last link.
func (u *undefined) parent() string {
	if i := strings.LastIndex(u.path, "."); i > 0 && !u.item {
		return u.path[:i]
	}
	return "what it is taken from"
}

// describe names a value's kind; text is not shown, it may be a secret.
func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool, float64:
		return fmt.Sprintf("a %s (%v)", value.Kind(v), x)
	case int:
		return fmt.Sprintf("an int (%d)", x)
	case []any:
		return "a list"
	case Getter:
		return "a map"
	case *undefined:
		return "undefined"
	case value.Unknown:
		return "not known before the run"
	}
	return "a " + value.Kind(v)
}

// member takes one field of a container; found is false when it is not there.
// An Unknown's field is the Unknown.
func member(container any, key string) (v any, found bool, err error) {
	switch c := container.(type) {
	case map[string]any:
		v, found = c[key]
	case Getter:
		v, found, err = c.Get(key)
	case value.Unknown:
		return c, true, nil
	}
	if err != nil || !found {
		return nil, false, err
	}
	return native(v), true, nil
}

// native makes sure a value from outside is one of the language's kinds.
func native(v any) any {
	switch v.(type) {
	case nil, bool, int, float64, string, []any, map[string]any, value.Unknown, Getter:
		return v
	}
	return value.Normalize(v)
}

// maxLazy bounds how many Getters may hold one another when they are made
// whole: the variables, hostvars, one host.
const maxLazy = 3

// whole makes plain values of lazy ones, deeply; a value without any is
// returned as it is.
func whole(v any) (any, error) { return wholeOf(v, 0) }

func wholeOf(v any, depth int) (any, error) {
	switch x := v.(type) {
	case Getter:
		if depth++; depth > maxLazy {
			return nil, errors.New("all variables of all hosts hold each other without end; name the one that is meant")
		}
		out := make(map[string]any)
		for _, k := range x.Keys() {
			e, ok, err := x.Get(k)
			if err == nil && ok {
				e, err = wholeOf(native(e), depth)
			}
			if err != nil {
				return nil, err
			}
			if ok {
				out[k] = e
			}
		}
		return out, nil
	case []any:
		if i := slices.IndexFunc(x, lazy); i >= 0 {
			out := make([]any, len(x))
			for i, e := range x {
				w, err := wholeOf(native(e), depth)
				if err != nil {
					return nil, err
				}
				out[i] = w
			}
			return out, nil
		}
	case map[string]any:
		if !lazy(x) {
			return x, nil
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			w, err := wholeOf(native(e), depth)
			if err != nil {
				return nil, err
			}
			out[k] = w
		}
		return out, nil
	}
	return v, nil
}

// lazy reports whether a value is not plain all through.
func lazy(v any) bool {
	switch x := v.(type) {
	case nil, bool, int, float64, string, value.Unknown:
		return false
	case []any:
		return slices.ContainsFunc(x, lazy)
	case map[string]any:
		for _, e := range x {
			if lazy(e) {
				return true
			}
		}
		return false
	}
	return true
}

// findUnknown finds an Unknown anywhere in a plain value.
func findUnknown(v any) (value.Unknown, bool) {
	switch x := v.(type) {
	case value.Unknown:
		return x, true
	case []any:
		for _, e := range x {
			if u, ok := findUnknown(e); ok {
				return u, true
			}
		}
	case map[string]any:
		for _, e := range x {
			if _, ok := findUnknown(e); ok {
				return value.FindUnknown(v) // the same one each time
			}
		}
	}
	return value.Unknown{}, false
}

// truth is Go's.
func truth(v any) bool {
	switch x := v.(type) {
	case nil:
		return false
	case bool:
		return x
	case int:
		return x != 0
	case float64:
		return x != 0
	case string:
		return x != ""
	case []any:
		return len(x) > 0
	case map[string]any:
		return len(x) > 0
	case Getter:
		return len(x.Keys()) > 0
	}
	return true
}
