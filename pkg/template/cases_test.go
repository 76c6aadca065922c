package template

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// vals is a Scope of plain values.
type vals map[string]any

func (m vals) Lookup(n string) (any, bool, error) { v, ok := m[n]; return v, ok, nil }
func (m vals) Names() []string                    { return value.Keys(m) }

// known makes values of a case's node, with !unknown as value.Unknown.
func withUnknowns(n *source.Node) any {
	switch {
	case n == nil:
		return nil
	case n.Tag == "!unknown":
		return value.Unknown{Reason: n.Scalar.(string)}
	case n.Kind == source.List:
		out := []any{}
		for _, e := range n.Items {
			out = append(out, withUnknowns(e))
		}
		return out
	case n.Kind == source.Map:
		out := map[string]any{}
		for _, f := range n.Fields {
			out[f.Name] = withUnknowns(f.Node)
		}
		return out
	}
	return n.Scalar
}

func TestCases(t *testing.T) {
	doc, l := source.Load("testdata/cases.yml")
	if l.Len() > 0 {
		t.Fatal(l.Err())
	}
	base := withUnknowns(doc.Get("_vars")).(map[string]any)
	base["omit"] = Omit
	e := New(Config{})
	seen := map[string]bool{}
	for _, c := range doc.Get("cases").Items {
		name, _ := c.Get("name").Text()
		if seen[name] {
			t.Errorf("two cases %q", name)
		}
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			scope := vals(maps.Clone(base))
			if v, ok := withUnknowns(c.Get("vars")).(map[string]any); ok {
				maps.Copy(scope, v)
			}
			before := value.Normalize(map[string]any(scope))
			got, err := runCase(e, c, &Context{Scope: scope})
			judge(t, c, got, err)
			if !reflect.DeepEqual(before, value.Normalize(map[string]any(scope))) {
				t.Error("the variables were changed")
			}
		})
	}
}

func runCase(e *Engine, c *source.Node, ctx *Context) (any, error) {
	if n := c.Get("when"); n != nil {
		cond, list := e.CompileCondition(n)
		if err := list.Err(); err != nil {
			return nil, err
		}
		holds, unknown, err := cond.Test(ctx)
		if unknown != (value.Unknown{}) {
			return unknown, err
		}
		return holds, err
	}
	v, list := e.Compile(c.Get("t"))
	if err := list.Err(); err != nil {
		return nil, err
	}
	return v.Eval(ctx)
}

func judge(t *testing.T, c *source.Node, got any, err error) {
	t.Helper()
	if want, ok := c.Get("error").Text(); ok {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %#v, %v; want an error with %q", got, err, want)
		} else if !strings.HasPrefix(err.Error(), "testdata/cases.yml:") {
			t.Errorf("the error has no place: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want := withUnknowns(c.Get("want"))
	if reason, ok := c.Get("unknown").Text(); ok {
		want = value.Unknown{Reason: reason}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}
