package template

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// compileAll compiles a playbook-like text: keys named when are conditions.
func compileAll(e *Engine, text string) (map[string]*Value, map[string]*Condition, diag.List) {
	n, list := source.Parse("f.yml", []byte(text))
	values, conds := map[string]*Value{}, map[string]*Condition{}
	if n == nil {
		return values, conds, list
	}
	for _, f := range n.Fields {
		var more diag.List
		if strings.HasPrefix(f.Name, "when") {
			conds[f.Name], more = e.CompileCondition(f.Node)
		} else {
			values[f.Name], more = e.Compile(f.Node)
		}
		list.Merge(more)
	}
	return values, conds, list
}

// What is wrong before anything is evaluated: message, place and hint, as the
// user sees them.
func TestStaticMistakes(t *testing.T) {
	e := New(Config{})
	for name, c := range map[string]struct{ text, want string }{
		"no dot":            {`a: "{{ foo }}"`, `f.yml:1:8: function "foo" is not defined (variables start with a dot: .foo)`},
		"no dot, field":     {`a: "x {{ foo.bar }}"`, `f.yml:1:10: function "foo" is not defined (variables start with a dot: .foo.bar)`},
		"no dot, piped":     {`a: "{{ foo | default('x') }}"`, `f.yml:1:14: a function's arguments stand behind it`},
		"quotes":            {`a: "{{ .foo | default 'xyz' }}"`, `f.yml:1:23: single quotes do not make a string (use "double quotes" or ` + "`backquotes`)"},
		"one quoted letter": {`a: "{{ .foo | default 'x' }}"`, `f.yml:1:23: 'x' is a character's number, not a string`},
		"block tag":         {`a: "x {% if y %}z{% endif %}"`, "f.yml:1:7: {% if … %} is Jinja's"},
		"block tag two":     {`a: "x {% if y %}z{% endif %}"`, "f.yml:1:18: {% endif … %} is Jinja's"},
		"is defined":        {`when: .foo is defined`, "f.yml:1:12: \"is\" stands between values; functions come first or behind a | (tests are functions"},
		"is not":            {`when: foo is not defined`, `f.yml:1:7: function "foo" is not defined`},
		"equals":            {`when: .foo == "x"`, "f.yml:1:12: `==` is Jinja's: comparisons are functions (write `eq .x \"y\"`)"},
		"equals wrapped":    {`a: "{{ if .foo == 3 }}x{{ end }}"`, "f.yml:1:16: `==` is Jinja's"},
		"not equals":        {`when: .foo != 3`, "f.yml:1:12: `!=` is Jinja's"},
		"greater":           {`when: .foo > 3`, "f.yml:1:12: comparisons are functions"},
		"in":                {`when: .foo in .bar`, "f.yml:1:12: \"in\" stands between values; functions come first or behind a | (write `.x | in .list`)"},
		"not in":            {`when: .foo not in .bar`, `f.yml:1:12: "not" stands between values`},
		"and":               {`when: .a and .b`, "f.yml:1:10: \"and\" stands between values; functions come first or behind a | (write `and .a .b`)"},
		"index":             {`a: "{{ .foo[0] }}"`, "f.yml:1:8: `x[…]` is Jinja's"},
		"list item":         {`a: "{{ .foo.0 }}"`, "f.yml:1:12: a list's item is not a field"},
		"commas":            {`a: "{{ f(.a, .b) }}"`, "f.yml:1:8: arguments stand apart with spaces"},
		"plus":              {`a: "{{ .a + 1 }}"`, "f.yml:1:11: arithmetic is done with functions"},
		"inline if":         {`a: "{{ .a if .b else .c }}"`, "f.yml:1:11: `x if y else z` is Jinja's"},
		"True":              {`when: eq .a True`, `f.yml:1:13: function "True" is not defined (write true)`},
		"near function":     {`a: "{{ .a | uper }}"`, `f.yml:1:13: function "uper" is not defined (did you mean "upper"?)`},
		"removed":           {`a: "{{ now }}"`, `f.yml:1:8: function "now" is not defined (it is left out of sprig on purpose: it depends on the clock`},
		"arity":             {`a: "{{ join }}"`, "f.yml:1:8: join takes 1 to 2 arguments, not 0"},
		"nested call":       {`when: eq lower .a "x"`, "f.yml:1:10: lower takes 1 argument, not 0 (a call that is an argument stands in parentheses"},
		"octal":             {`a: "{{ 0644 }}"`, `f.yml:1:8: 0644 would be read as octal, as 420 (a mode is text: "0644")`},
		"no end":            {`a: "x{{ if .a }}y"`, "f.yml:1:6: template: a block (if, range, with, define) has no {{ end }}"},
		"no end of two":     {`a: "{{ if .a }}{{ range .b }}{{ end }}y"`, "f.yml:1:5: template: a block"},
		"stray end":         {`a: "x {{ end }}"`, "f.yml:1:10: template: an {{ end }} without its if"},
		"unclosed":          {`a: "x {{ .a"`, "f.yml:1:7: template: an action is not closed with }}"},
		"empty":             {`a: "x {{ }}"`, "f.yml:1:7: template: missing value for command: an expression is missing"},
		"variable":          {`a: "x {{ $y }}"`, `f.yml:1:10: template: undefined variable "$y"`},
		"bad pattern":       {`a: '{{ .x | match "a(" }}'`, "f.yml:1:13: match: invalid pattern: missing closing )"},
		"look-around":       {`a: '{{ regex_replace "(?=a)" "b" .x }}'`, "look-around is not in Go's patterns"},
		"lookup":            {`a: '{{ lookup "fiel" "x" }}'`, `f.yml:1:8: lookup: there is no lookup "fiel" (did you mean "file"?)`},
		"lookup pipe":       {`a: '{{ lookup "pipe" "x" }}'`, `it runs a command on the controller each time`},
		"item test":         {`a: '{{ .l | selectattr "a" "equal" "x" }}'`, `f.yml:1:13: selectattr: there is no function "equal" for items`},
		"template":          {`a: '{{ template "foo" . }}'`, `f.yml:1:17: template "foo" is not defined (define it in this file`},
		"include near":      {`a: '{{ define "foo" }}{{ end }}{{ include "fo" . }}'`, `f.yml:1:43: template "fo" is not defined (did you mean "foo"?)`},
		"argument":          {`a: '{{ .a "x" }}'`, "f.yml:1:11: .a is not a function and takes no arguments (put the function first"},
		"piped into value":  {`a: '{{ .a | .b }}'`, "f.yml:1:13: .b is not a function"},
		"key":               {`a: {"{{ .x }}": 1}`, "f.yml:1:5: a key cannot be a template"},
		"vault":             {"a: !vault |\n  abc\n", "is encrypted with Ansible Vault"},
		"tag":               {"a: !foo b\n", "the tag !foo has no meaning here"},
		"second line":       {"a: |\n    one\n    two {{ foo }}\n", `f.yml:3:12: function "foo"`},
		"in folded":         {"a: >-\n  one {{ .a }}\n  two {{ foo }}\n", `f.yml:3:10: function "foo"`},
		"behind escapes":    {`a: "\"é\" {{ foo }}"`, `f.yml:1:14: function "foo"`},
		"in a list":         {"a:\n- x\n- 'it''s {{ foo }}'\n", `f.yml:3:13: function "foo"`},
		"second action":     {"a: 'x {{ .a }} {{ .b | nope 1 }}'", `f.yml:1:24: function "nope"`},
		"syntax in second":  {"a: |\n  {{ .a }}\n  {{ .b | }}\n", `f.yml:3:9: template: a function is missing behind |`},
		"parse in block":    {"a: |\n  ok\n  {{ .x ! }}\n", "f.yml:3:9: template: unexpected \"!\" in operand"},
		"empty condition":   {"when:\n", "a condition is missing"},
		"condition map":     {"when: {a: 1}\n", "f.yml:1:7: a condition is true, false or a pipeline, not a map"},
		"condition block":   {"when: |\n  and .a\n    foo\n", `f.yml:3:5: function "foo"`},
		"condition if":      {"when: if .a\n", "f.yml:1:7"},
		"condition list":    {"when:\n- .a\n- foo\n", `f.yml:3:3: function "foo"`},
		"two actions":       {"when: '{{ .a }} {{ .b }}'\n", "f.yml:1:8"},
		"warning":           {"when: '{{ foo }}'\n", `f.yml:1:11: function "foo"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, list := compileAll(e, c.text)
			var all []string
			for _, d := range list.All() {
				all = append(all, d.Error())
			}
			if got := strings.Join(all, "\n"); !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, _, list := compileAll(New(Config{}), "a: '{{ foo }} {{ .x | bar 1 }}'\nb: ['{{ 0644 }}', '{{ end }}']\nwhen: .x == 1\n")
	if list.Len() != 5 {
		t.Errorf("got %d: %v", list.Len(), list.Err())
	}
}

// Where an evaluation fails: "@" marks the place.
func TestRuntimePlaces(t *testing.T) {
	e := New(Config{})
	for _, text := range []string{
		"a: '{{ @.nope }}'",
		"a: \"é \\\"x\\\" {{ @.nope.x }}\"",
		"a: 'x {{ .m.b@.nope.x }}'",
		"a: 'x {{ $.m@.nope }}'",
		"a: '{{ $m := .m }}{{ $m.b@.nope }}'",
		"a: '{{ (index .l 0)@.nope }}'",
		"a: |\n  line\n  {{ .m.a }} {{ @.nope }}\n",
		"a: >-\n  line {{ .m.a }}\n   {{ upper\n     @.nope }}\n",
		"a:\n  b:\n  - \"{{ 1 }}\"\n  - \"{{ .m.a }} {{ .m@.nope }}\"\n",
		"a: '{{ .m.b | @upper | int }}'",
		"a: '{{ range .l }}{{ @.nope }}{{ end }}'",
		"a: '{{ define \"x\" }}{{ @.nope }}{{ end }}{{ template \"x\" .m }}'",
		"a: '{{ @lt .m.a \"x\" }}'",
		"a: '{{ @index .l 5 }}'",
		"when: and .m.a (eq @.nope 1)",
		"when: |\n  and .m.a\n    (eq .m@.nope 1)\n",
		"when: [eq 1 1, 'eq @.nope 1']",
		"when: \"{{ eq @.nope 1 }}\"",
	} {
		want := marked(text)
		values, conds, list := compileAll(e, strings.ReplaceAll(text, "@", ""))
		if list.HasErrors() {
			t.Errorf("%s: %v", text, list.Err())
			continue
		}
		ctx := &Context{Scope: vals{"m": map[string]any{"a": 1, "b": map[string]any{}}, "l": []any{map[string]any{}}}}
		var err error
		if v := values["a"]; v != nil {
			_, err = v.Eval(ctx)
		} else {
			_, _, err = conds["when"].Test(ctx)
		}
		var d diag.Diagnostic
		if !errors.As(err, &d) || d.Pos != want {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
}

// marked is the place of "@" in the text without it.
func marked(text string) (out diag.Pos) {
	p := diag.Pos{File: "f.yml", Line: 1, Col: 1}
	for _, r := range text {
		switch r {
		case '@':
			out = p
			continue
		case '\n':
			p.Line, p.Col = p.Line+1, 0
		}
		p.Col++
	}
	return out
}

func TestFilePlaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.conf.tpl")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := New(Config{})
	write("_lib.tpl", `{{ define "server" }}é server {{ .nmae }};{{ end }}`)
	write("x.conf.tpl", "# é\n{{ include \"server\" . }}\n")
	_, err := e.RenderFile(&Context{Scope: vals{"name": "a"}}, path, FileOptions{})
	want := filepath.Join(dir, "_lib.tpl") + `:1:34: .nmae is undefined (did you mean "name"?)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	write("_lib.tpl", `{{ define "server" }}server {{ .name }};{{ end }}`)
	out, err := e.RenderFile(&Context{Scope: vals{"name": "a"}}, path, FileOptions{Extra: map[string]any{"name": "b"}})
	if err != nil || string(out) != "# é\nserver b;\n" {
		t.Errorf("got %q, %v", out, err)
	}
	write("x.conf.tpl", "a\n  {{ foo }} {% if x %}\n{{ .x | nope 1 }}\n")
	_, list := e.CompileFile(path, FileOptions{})
	all := list.All()
	if len(all) != 3 || all[0].Pos.String() != path+":2:6" || all[1].Pos.String() != path+":2:13" || all[2].Pos.String() != path+":3:9" {
		t.Errorf("got %v", all)
	}
	write("x.conf.tpl", "{{ x }} <% .name %>\n")
	out, err = e.RenderFile(&Context{Scope: vals{"name": "a"}}, path, FileOptions{Left: "<%", Right: "%>"})
	if err != nil || string(out) != "{{ x }} a\n" {
		t.Errorf("got %q, %v", out, err)
	}
}
