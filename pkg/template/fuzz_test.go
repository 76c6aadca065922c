package template

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Compiling and evaluating never panic, whatever the text; every error has a
// place; a result is made of the language's kinds.
func FuzzEval(f *testing.F) {
	doc, l := source.Load("testdata/cases.yml")
	if l.Len() > 0 {
		f.Fatal(l.Err())
	}
	for _, c := range doc.Get("cases").Items {
		if s, ok := c.Get("t").Text(); ok {
			f.Add(s)
		}
		if s, ok := c.Get("when").Text(); ok {
			f.Add(s)
		}
	}
	base := withUnknowns(doc.Get("_vars")).(map[string]any)
	before := value.Normalize(base)
	e := New(Config{})
	f.Fuzz(func(t *testing.T, text string) {
		ctx := &Context{Scope: vals(base)}
		pos := diag.Pos{File: "f.yml", Line: 3, Col: 5}
		v, list := e.Compile(source.FromValue(text, pos))
		if !list.HasErrors() {
			got, err := v.Eval(ctx)
			sane(t, got, err)
		}
		for _, r := range v.Refs() {
			if len(r.Path) == 0 {
				t.Fatalf("a Ref without a path: %+v", r)
			}
		}
		x, list := e.CompileExpr(text, pos)
		got, err := x.Eval(ctx)
		if list.HasErrors() != (err != nil) && list.HasErrors() {
			t.Fatalf("an expression with mistakes was evaluated: %v", list.Err())
		}
		sane(t, got, err)
		cond, _ := e.CompileCondition(source.FromValue(text, pos))
		if _, _, err := cond.Test(ctx); err != nil {
			sane(t, nil, err)
		}
		if !reflect.DeepEqual(value.Normalize(base), before) {
			t.Fatal("the variables were changed")
		}
	})
}

func sane(t *testing.T, v any, err error) {
	t.Helper()
	var d diag.Diagnostic
	if err != nil && (!errors.As(err, &d) || d.Pos.Line == 0 || d.Message == "") {
		t.Fatalf("an error without a place: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "broke off: runtime error") && strings.Contains(err.Error(), "the evaluation") {
		t.Fatalf("a panic: %v", err)
	}
	if lazy(v) {
		t.Fatalf("%#v is not made of the language's kinds", v)
	}
}

// A text in a file leads every diagnostic into that file.
func FuzzFile(f *testing.F) {
	f.Add("a: |\n  {{ .x }}\n  {{ foo }}\nwhen: eq .a 1\n")
	f.Add("a: \"\\\"{{ .x ! }}\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, _, list := compileAll(New(Config{}), text)
		for _, d := range list.All() {
			if d.Pos.File != "f.yml" {
				t.Fatalf("%v is not in the file", d)
			}
		}
	})
}
