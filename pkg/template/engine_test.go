package template

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// eval evaluates a text against plain variables.
func eval(t testing.TB, e *Engine, text string, ctx *Context) (any, error) {
	t.Helper()
	v, list := e.Compile(source.FromValue(text, diag.Pos{File: "f.yml", Line: 1, Col: 1}))
	if list.HasErrors() {
		return nil, list.Err()
	}
	return v.Eval(ctx)
}

func TestFuncsOfTheEmbedder(t *testing.T) {
	e := New(Config{Funcs: map[string]any{
		"shout":   func(s string) string { return s + "!" },
		"count":   func(l []string, m map[string]int) (int, error) { return len(l) + len(m), nil },
		"trouble": func() (string, error) { return "", errors.New("no luck") },
		"panics":  func() string { panic("boom") },
		"upper":   func(s string) string { return "mine" },
		"sizes":   func(u uint8, f float32, b bool, rest ...any) string { return fmt.Sprint(u, f, b, len(rest)) },
		"struct":  func() any { return struct{ A int8 }{3} },
	}})
	ctx := &Context{Scope: vals{"l": []any{"a", 1}}}
	for text, want := range map[string]any{
		`{{ "a" | shout }}`:               "a!",
		`{{ count .l (dict "a" 1) }}`:     3,
		`{{ upper "x" }}`:                 "mine",
		`{{ sizes 7 2 "yes" nil 1 }}`:     "7 2 true 2",
		`{{ struct.A }}`:                  nil,
		`{{ (struct).A }}`:                3,
		`{{ trouble }}`:                   errors.New("f.yml:1:1: trouble: no luck"),
		`{{ panics }}`:                    errors.New("f.yml:1:1: panics: broke off: boom"),
		`{{ sizes 256 1 true }}`:          errors.New("f.yml:1:1: sizes: argument 1: 256 is out of range"),
		`{{ count .l (dict "a" "x") }}`:   errors.New("f.yml:1:1: count: argument 2: a: a whole number is needed, this is a string (convert it: `int`)"),
		`{{ lower "X" | shout | shout }}`: "x!!",
	} {
		got, err := eval(t, e, text, ctx)
		switch want := want.(type) {
		case error:
			if err == nil || err.Error() != want.Error() {
				t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
			}
		case nil:
		default:
			if err != nil || got != want {
				t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
			}
		}
	}
	if got, err := eval(t, New(Config{}), `{{ upper "x" }}`, nil); got != "X" || err != nil {
		t.Error("engines are not independent")
	}
	if _, err := eval(t, New(Config{Funcs: map[string]any{"bad": 1}}), "x", nil); err == nil || !strings.Contains(err.Error(), "not a function") {
		t.Errorf("got %v", err)
	}
}

// lazyMap counts what is taken of it.
type lazyMap struct {
	m     map[string]any
	asked []string
}

func (l *lazyMap) Get(k string) (any, bool, error) {
	l.asked = append(l.asked, k)
	if k == "bad" {
		return nil, false, errors.New("cannot make it")
	}
	v, ok := l.m[k]
	return v, ok, nil
}
func (l *lazyMap) Keys() []string { return value.Keys(l.m) }

func TestGetter(t *testing.T) {
	e := New(Config{})
	for _, c := range []struct{ text, asked, want string }{
		{"{{ .h.a.x }}", "a", "1"},
		{`{{ (index .h "a").x }}`, "a", "1"},
		{`{{ index .h "a" "x" }}`, "a", "1"},
		{`{{ list "a" "b" | map "extract" .h "x" }}`, "a b", "[1 2]"},
		{`{{ hasKey .h "c" }}`, "c", "false"},
		{`{{ dig "b" "x" 0 .h }}`, "b", "2"},
		{`{{ .h.c | default 7 }}`, "c", "7"},
		{`{{ keys .h }}{{ len .h }}`, "", `["a","b"]2`},
		{`{{ range $k, $v := .h }}{{ $k }}{{ $v.x }}{{ end }}`, "a b", "a1b2"},
		{`{{ .h }}`, "a b", "map[a:map[x:1] b:map[x:2]]"},
		{`{{ list .h }}`, "a b", "[map[a:map[x:1] b:map[x:2]]]"},
		{`{{ toJson .h }}`, "a b", `{"a":{"x":1},"b":{"x":2}}`},
		{`x{{ .h }}`, "a b", `x{"a":{"x":1},"b":{"x":2}}`},
		{`{{ if .h }}y{{ end }}`, "", "y"},
		{`{{ .h.bad }}`, "bad", "f.yml:1:1: cannot make it"},
		{`{{ .h.aa }}`, "aa", `f.yml:1:1: .h.aa is undefined (did you mean "a"?)`},
		{`{{ .h | combine (dict "c" 1) | keys }}`, "a b", "[a b c]"},
	} {
		h := &lazyMap{m: map[string]any{"a": map[string]any{"x": 1}, "b": map[string]any{"x": 2}}}
		got, err := eval(t, e, c.text, &Context{Scope: vals{"h": h}})
		if err != nil {
			got = err.Error()
		}
		if fmt.Sprint(got) != c.want || strings.Join(h.asked, " ") != c.asked {
			t.Errorf("%s: got %v after asking for %v; want %s, %s", c.text, got, h.asked, c.want, c.asked)
		}
	}
}

// asking records which variables are looked up.
type asking struct {
	vals
	asked []string
}

func (a *asking) Lookup(n string) (any, bool, error) {
	a.asked = append(a.asked, n)
	if n == "bad" {
		return nil, false, errors.New("bad was evaluated")
	}
	return a.vals.Lookup(n)
}

func TestOnlyWhatIsMentioned(t *testing.T) {
	for text, want := range map[string]string{
		"{{ .a }}": "a",
		"{{ if .a }}{{ .b }}{{ else }}{{ .bad }}{{ end }}": "a b",
		"{{ or .a .bad }}":                  "a",
		"{{ default .bad .a }}":             "a",
		"{{ coalesce .a .bad }}":            "a",
		"{{ ternary .a .bad true }}":        "a",
		"{{ range .l }}{{ .bad }}{{ end }}": "l",
	} {
		s := &asking{vals: vals{"a": 1, "b": 2, "l": []any{}}}
		if _, err := eval(t, New(Config{}), text, &Context{Scope: s}); err != nil || strings.Join(s.asked, " ") != want {
			t.Errorf("%s: asked for %v, %v; want %s", text, s.asked, err, want)
		}
	}
}

func TestLookups(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"motd": "hello\n\n", "a.conf": "a", "b.conf": "b", "n.tpl": "name={{ .name }}\n", "self.tpl": `{{ lookup "template" "self.tpl" }}`,
		"unk.tpl": "{{ .unk }}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FOOBAR_TEST", "value")
	e := New(Config{EnvAllow: []string{"FOOBAR_TEST", "FOOBAR_UNSET"}})
	ctx := &Context{
		Scope: vals{"name": "x", "unk": value.Unknown{Reason: "later"}},
		Find: func(kind, name string) (string, error) {
			p := filepath.Join(dir, name)
			if _, err := os.Stat(p); err != nil {
				return "", fmt.Errorf("%s %q: %w", kind, name, os.ErrNotExist)
			}
			return p, nil
		},
	}
	for text, want := range map[string]any{
		`{{ lookup "file" "motd" }}`:                                   "hello",
		`{{ lookup "ansible.builtin.file" "motd" }}`:                   "hello",
		`{{ lookup "file" "a.conf" "b.conf" }}`:                        "a,b",
		`{{ query "file" (list "a.conf" "b.conf") | len }}`:            2,
		`{{ lookup "file" "none" }}`:                                   `f.yml:1:1: lookup: files "none"`,
		`{{ lookup "template" "n.tpl" }}`:                              "name=x\n",
		`{{ lookup "template" "unk.tpl" }}`:                            value.Unknown{Reason: "later"},
		`{{ lookup "template" "self.tpl" }}`:                           "without end",
		`{{ query "fileglob" "*.conf" | map "basename" | join " " }}`:  "a.conf b.conf",
		`{{ query "fileglob" "none/*" | len }}`:                        0,
		`{{ lookup "first_found" (list "none" "b.conf") | basename }}`: "b.conf",
		`{{ lookup "first_found" "none" }}`:                            "none of [\"none\"] exists",
		`{{ lookup "env" "FOOBAR_TEST" }}`:                             "value",
		`{{ lookup "env" "FOOBAR_UNSET" | default "d" }}`:              "d",
		`{{ lookup "env" "HOME" }}`:                                    "may not be read",
	} {
		got, err := eval(t, e, text, ctx)
		if err != nil {
			if s, ok := want.(string); !ok || !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v, want %v", text, err, want)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	_, err := e.RenderFile(ctx, filepath.Join(dir, "unk.tpl"), FileOptions{})
	if reason, ok := host.IsUnknown(err); !ok || reason != "later" {
		t.Errorf("an unknown file gives %v", err)
	}
}

func TestFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tpl")
	e := New(Config{})
	for i, text := range []string{"one {{ .a }}", "two {{ .a }} more"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		first, _ := e.CompileFile(path, FileOptions{})
		again, _ := e.CompileFile(path, FileOptions{})
		if first != again {
			t.Error("an unchanged file is compiled twice")
		}
		out, err := e.RenderFile(&Context{Scope: vals{"a": 1}}, path, FileOptions{})
		if want := strings.ReplaceAll(text, "{{ .a }}", "1"); err != nil || string(out) != want {
			t.Errorf("got %q, %v", out, err)
		}
	}
	if _, list := e.CompileFile(path+".none", FileOptions{}); !list.HasErrors() || !strings.Contains(list.Err().Error(), "no such template file") {
		t.Errorf("got %v", list.Err())
	}
	if _, err := e.RenderFile(nil, filepath.Dir(path), FileOptions{}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsAreDiagnostics(t *testing.T) {
	_, err := eval(t, New(Config{}), "{{ .nope.x }}", nil)
	var e *Error
	var d diag.Diagnostic
	if !errors.As(err, &e) || !errors.As(err, &d) || e.Undefined != ".nope" || d.Message != ".nope is undefined" {
		t.Errorf("got %#v", err)
	}
	cause := errors.New("cause")
	_, err = eval(t, New(Config{}), "{{ .x }}", &Context{Scope: failing{cause}})
	if !errors.Is(err, cause) || !errors.As(err, &d) || d.Pos.Line != 1 {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Lookup(string) (any, bool, error) { return nil, false, f.err }
func (f failing) Names() []string                  { return nil }

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := eval(t, New(Config{}), "{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}", &Context{Ctx: ctx})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTurnsAreBounded(t *testing.T) {
	for _, text := range []string{
		`{{ range 1000000000 }}{{ end }}`,
		`{{ define "a" }}{{ if lt . 60 }}{{ template "a" (add . 1) }}{{ template "a" (add . 1) }}{{ end }}{{ end }}{{ template "a" 0 }}`,
	} {
		_, err := eval(t, New(Config{}), text, nil)
		if err == nil || !strings.Contains(err.Error(), "would take too long") {
			t.Errorf("got %v", err)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	_, err := eval(t, New(Config{}), `{{ $x := repeat 1000000 "x" }}{{ range 100 }}{{ $x }}{{ end }}`, nil)
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

// One engine and one Value from many goroutines, for the race detector.
func TestConcurrentUse(t *testing.T) {
	e := New(Config{})
	v, list := e.Compile(source.FromValue(map[string]any{
		"a": `{{ .n | add 1 }}`, "b": `{{ range .l }}{{ . | regex_replace "x" "y" }}{{ end }}`, "c": `{{ tpl "{{ .n }}" . }}`,
	}, diag.Pos{}))
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				got, err := v.Eval(&Context{Scope: vals{"n": i, "l": []any{"ax", i}}})
				want := fmt.Sprintf("map[a:%d b:ay%d c:%d]", i+1, i, i)
				if fmt.Sprint(got) != want || err != nil {
					t.Errorf("got %v, %v; want %s", got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestYAMLTextComesBackEqual(t *testing.T) {
	for _, s := range []string{
		"", " ", "a", "yes", "No", "null", "~", "1", "0644", "1e3", "1.5", ".5", "0x1f", "1_000", "2026-01-01", "12:30:45", "a: b", "a #b", "#",
		"- a", "-", "a:", "*a", "&a", "!a", "%a", "@a", "`a", "'a'", "\"a\"", "{a", "[a", "a\nb", "a\nb\n", "a\n\n", "\na", " a\nb", "a \nb", "a\n  b\n\nc\n",
		"\ta", "a\tb", "a\n\tb\n", "é", "\x01", "\u2028", "\u00a0", "\U0001F600", "\ufeff", "a\r\nb", "?", "? a", "| a", "> a", "<<", "=", "/a/b", "a,b", "...", "---", "true ", "a\\b", "\n", ":", ": a",
	} {
		for _, v := range []any{s, []any{s, []any{s}}, map[string]any{"k": s, "m": map[string]any{"x": []any{map[string]any{"y": s, "z": s}}}}} {
			for _, step := range []int{2, 4} {
				text := yamlText(v, step)
				got, err := fromYAML(text)
				if err != nil || !value.Equal(got, v) {
					t.Errorf("%q (step %d) became %q, which gives %#v, %v", s, step, text, got, err)
				}
			}
		}
		if s != "<<" { // a merge key by definition
			m := map[string]any{s: 1}
			if got, err := fromYAML(yamlText(m, 2)); err != nil || !value.Equal(got, m) {
				t.Errorf("key %q became %q: %v, %v", s, yamlText(m, 2), got, err)
			}
		}
	}
}
