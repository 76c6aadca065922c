package template

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

func BenchmarkEval(b *testing.B) {
	scope := vals{
		"name": "web01", "port": 443, "facts": map[string]any{"os_family": "Debian"},
		"users": []any{map[string]any{"name": "a"}, map[string]any{"name": "b"}},
	}
	e := New(Config{})
	for name, text := range map[string]any{
		"literal":  "a plain text",
		"variable": "{{ .name }}",
		"mixed":    "/etc/{{ .name }}/{{ .port }}.conf",
		"function": `{{ .name | upper | regex_replace "W" "v" }}`,
		"range":    `{{ range .users }}{{ .name }}={{ $.port }};{{ end }}`,
		"args":     map[string]any{"src": "x", "dest": "/etc/{{ .name }}", "mode": "0644", "owner": "root"},
	} {
		b.Run(name, func(b *testing.B) {
			v, list := e.Compile(source.FromValue(text, diag.Pos{}))
			if list.HasErrors() {
				b.Fatal(list.Err())
			}
			ctx := &Context{Scope: scope}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Eval(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCondition(b *testing.B) {
	c, list := New(Config{}).CompileCondition(source.FromValue(`and (eq .facts.os_family "Debian") (not .off)`, diag.Pos{}))
	if list.HasErrors() {
		b.Fatal(list.Err())
	}
	ctx := &Context{Scope: vals{"facts": map[string]any{"os_family": "Debian"}, "off": false}}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := c.Test(ctx); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	e := New(Config{})
	n := source.FromValue("/etc/{{ .name }}/{{ .port | default 80 }}.conf", diag.Pos{})
	b.ReportAllocs()
	for b.Loop() {
		e.Compile(n)
	}
}
