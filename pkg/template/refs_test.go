package template

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// Refs are written path, then ! when guarded, ? when conditional.
func TestRefs(t *testing.T) {
	e := New(Config{})
	for text, want := range map[string]string{
		`a: "{{ .a.b }} {{ .c }}"`:                            "a.b c",
		`a: ["{{ .a }}", {b: "x{{ .c }}"}, "{{ 1 }}", plain]`: "a c",
		`a: !unsafe "{{ .a }}"`:                               "",
		`a: '{{ index .a "b" .c }}'`:                          "a.b.* c",
		`a: '{{ get .a "b" }}'`:                               "a.b",
		`a: '{{ (index .hostvars "web01").x }}'`:              "hostvars.web01.x",
		`a: '{{ index .hostvars .h "x" }}'`:                   "hostvars.*.x h",
		`a: '{{ (index .l 0).name }}'`:                        "l.*.name",
		`a: '{{ .a | default .b }}'`:                          "a! b?",
		`a: '{{ default .b .a.c }}'`:                          "b? a.c!",
		`a: '{{ .a | lower | default "x" }}'`:                 "a",
		`a: '{{ index .a "x" | default "y" }}'`:               "a.x!",
		`a: '{{ coalesce .a .b "" }}'`:                        "a! b!?",
		`a: '{{ defined .a.b }}'`:                             "a.b!",
		`a: '{{ hasKey .a "b" }}'`:                            "a!",
		`a: '{{ required "x" .a }}'`:                          "a!",
		`a: '{{ if defined .a }}{{ .a.b }}{{ .c }}{{ else }}{{ .a }}{{ end }}{{ .a }}'`:     "a! a.b!? c? a? a",
		`a: '{{ if undefined .a }}{{ .b }}{{ else }}{{ .a }}{{ end }}'`:                     "a! b? a!?",
		`a: '{{ if and (defined .a) .a.b }}{{ .a.c }}{{ end }}'`:                            "a! a.b!? a.c!?",
		`a: '{{ if not (.a | defined) }}{{ else }}{{ .a }}{{ end }}'`:                       "a! a!?",
		`a: '{{ if hasKey .a "b" }}{{ .a.b }}{{ end }}'`:                                    "a! a.b!?",
		`a: '{{ or (undefined .a) .a.x }}'`:                                                 "a! a.x!?",
		`a: '{{ ternary .a .b .c }}'`:                                                       "a? b? c",
		`a: '{{ range .a }}{{ .b }}{{ $.c }}{{ end }}'`:                                     "a c?",
		`a: '{{ range $i, $e := .a }}{{ $e.b }}{{ $.c }}{{ end }}'`:                         "a c?",
		`a: '{{ with .a }}{{ .b }}{{ $.c }}{{ else }}{{ .d }}{{ end }}'`:                    "a a.b? c? d?",
		`a: '{{ $x := .a }}{{ $x.b }}{{ $x = .c }}{{ $x.d }}'`:                              "a a.b c",
		`a: '{{ define "x" }}{{ .a }}{{ end }}{{ include "x" . }}'`:                         "a",
		`a: '{{ define "x" }}{{ .a }}{{ end }}{{ template "x" .b }}'`:                       "b",
		`a: '{{ define "x" }}{{ .a }}{{ end }}{{ range .l }}{{ template "x" $ }}{{ end }}'`: "l a?",
		`a: '{{ tpl .x . }}'`:            "x",
		`when: and .a (eq .b 1)`:         "a b?",
		`when: [defined .a, eq .a.x .b]`: "a! a.x!? b?",
		`when: eq (.a | default 1) 1`:    "a!",
		`when: .r | failed`:              "r",
	} {
		values, conds, list := compileAll(e, text)
		if list.HasErrors() {
			t.Errorf("%s: %v", text, list.Err())
			continue
		}
		refs := conds["when"].Refs()
		if v := values["a"]; v != nil {
			refs = v.Refs()
		}
		var got []string
		for _, r := range refs {
			s := strings.Join(r.Path, ".")
			if r.Guarded {
				s += "!"
			}
			if r.Conditional {
				s += "?"
			}
			got = append(got, s)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: got %s, want %s", text, g, want)
		}
	}
}

func TestRefPlaces(t *testing.T) {
	values, _, _ := compileAll(New(Config{}), "a: |\n  {{ .a.b.c }}\n  x {{ lower .d }} {{ $.e.f }}\n")
	var got []string
	for _, r := range values["a"].Refs() {
		got = append(got, r.Pos.String())
	}
	if want := []string{"f.yml:2:6", "f.yml:3:14", "f.yml:3:23"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGuards(t *testing.T) {
	for when, want := range map[string]string{
		`when: defined .a`:                         "[[a]]",
		`when: [defined .a.b, not (undefined .c)]`: "[[a b] [c]]",
		`when: and (defined .a) (.b | defined)`:    "[[a] [b]]",
		`when: or (defined .a) (defined .b)`:       "[]",
		`when: not (defined .a)`:                   "[]",
		`when: eq .a 1`:                            "[]",
		`when: .a | default false`:                 "[[a]]",
	} {
		_, conds, list := compileAll(New(Config{}), when)
		if got := fmt.Sprint(conds["when"].Guards()); got != want || list.HasErrors() {
			t.Errorf("%s: got %s, want %s; %v", when, got, want, list.Err())
		}
	}
}

func TestStructure(t *testing.T) {
	n, _ := source.Parse("f.yml", []byte("b: 1\na: [x, '{{ .y }}', {k: v}]\n"))
	v, _ := New(Config{}).Compile(n)
	if f := v.Fields(); len(f) != 2 || f[0].Name != "b" || f[1].Pos != (diag.Pos{File: "f.yml", Line: 2, Col: 1}) {
		t.Errorf("fields %v", f)
	}
	items := v.Field("a").Items()
	if len(items) != 3 || items[1].Pos().Col != 8 || v.Field("zz") != nil {
		t.Errorf("items %v", items)
	}
	if lit, ok := v.Field("b").Literal(); lit != 1 || !ok {
		t.Error("b is a literal")
	}
	if _, ok := v.Field("a").Literal(); ok {
		t.Error("a is no literal")
	}
	if lit, ok := items[2].Literal(); !ok || lit.(map[string]any)["k"] != "v" {
		t.Error("the map is a literal")
	}
	s := Static(map[string]any{"a": []any{"{{ x }}", 1}})
	if got, err := s.Field("a").Items()[0].Eval(nil); got != "{{ x }}" || err != nil {
		t.Errorf("static gives %v, %v", got, err)
	}
	var none *Value
	if got, err := none.Eval(nil); got != nil || err != nil || none.Refs() != nil || none.Field("x") != nil || none.Node() != nil {
		t.Error("a nil Value is null")
	}
	var always *Condition
	if ok, _, err := always.Test(nil); !ok || err != nil {
		t.Error("a nil Condition holds")
	}
}
