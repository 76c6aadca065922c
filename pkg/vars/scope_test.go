package vars

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// layer makes a Layer of YAML text.
func layer(t testing.TB, name, text string) Layer {
	t.Helper()
	return layerWith(t, template.New(template.Config{}), name, text)
}

func layerWith(t testing.TB, e *template.Engine, name, text string) Layer {
	t.Helper()
	n, list := source.Parse(name+".yml", []byte(text))
	vars, more := FromNode(n, e)
	list.Merge(more)
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	return Layer{Name: name, Vars: vars}
}

func TestLayers(t *testing.T) {
	base := NewScope([]Layer{
		layer(t, "defaults", "a: 1\nb: '{{ .a | add 1 }}'\nm: {x: 1}\nonly: '{{ .port }}-{{ .b }}'\nport: 80"),
		layer(t, "play", "a: 10\nm: {y: 2}"),
	}, nil)
	task := base.With(layer(t, "task", "a: 100\nport: 443"))
	for _, c := range []struct {
		scope *Scope
		name  string
		want  any
		layer string
	}{
		{base, "a", 10, "play"},
		{base, "b", 11, "defaults"},
		{base, "m", map[string]any{"y": 2}, "play"}, // replaced, not merged
		{base, "only", "80-11", "defaults"},
		{task, "a", 100, "task"},
		{task, "b", 101, "defaults"}, // sees the task's a
		{task, "only", "443-101", "defaults"},
		{base, "b", 11, "defaults"}, // still
	} {
		got, ok, err := c.scope.Lookup(c.name)
		if !value.Equal(got, c.want) || !ok || err != nil {
			t.Errorf("%s = %v, %v, %v; want %v", c.name, got, ok, err, c.want)
		}
		if from, _, ok := c.scope.Origin(c.name); from != c.layer || !ok {
			t.Errorf("%s is from %q, want %q", c.name, from, c.layer)
		}
	}
	if _, pos, _ := task.Origin("m"); pos.String() != "play.yml:2:1" {
		t.Errorf("m is set at %v", pos)
	}
	if _, ok, err := base.Lookup("nope"); ok || err != nil {
		t.Error("nope is found")
	}
	if _, _, ok := base.Origin("nope"); ok {
		t.Error("nope has an origin")
	}
	if got := task.Names(); !slices.Equal(got, []string{"a", "b", "m", "only", "port"}) {
		t.Errorf("names %v", got)
	}
}

func TestFuncLayer(t *testing.T) {
	calls := 0
	s := NewScope([]Layer{
		layer(t, "play", "inventory_hostname: mine\nx: 'on {{ .inventory_hostname }}'"),
		{Name: "magic", Func: func(name string) (any, bool, error) {
			calls++
			switch name {
			case "inventory_hostname":
				return "web01", true, nil
			case "bad":
				return nil, false, errors.New("no such luck")
			}
			return nil, false, nil
		}, Names: func() []string { return []string{"inventory_hostname", "bad"} }},
	}, nil)
	if got, _, err := s.Lookup("x"); got != "on web01" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, _, err := s.Lookup("bad"); err == nil {
		t.Error("the error is lost")
	}
	if got := s.Names(); !slices.Equal(got, []string{"bad", "inventory_hostname", "x"}) {
		t.Errorf("names %v", got)
	}
	if from, _, _ := s.Origin("inventory_hostname"); from != "magic" {
		t.Errorf("from %s", from)
	}
}

func TestEvaluatedOnceAndOnlyWhenNeeded(t *testing.T) {
	var calls []string
	e := template.New(template.Config{Funcs: map[string]any{"trace": func(s string) string { calls = append(calls, s); return s }}})
	s := NewScope([]Layer{layerWith(t, e, "v", `
a: '{{ trace "a" }}'
b: '{{ .a }}{{ .a }}'
c: '{{ trace "c" }}'
`)}, nil)
	for range 3 {
		if got, _, err := s.Lookup("b"); got != "aa" || err != nil {
			t.Fatal(got, err)
		}
	}
	if !slices.Equal(calls, []string{"a"}) {
		t.Errorf("calls %v", calls)
	}
}

func TestCycles(t *testing.T) {
	s := NewScope([]Layer{layer(t, "v", `
a: '{{ .b }}'
b: 'x {{ .c.d }}'
c: {d: '{{ .a }}'}
self: '{{ .self }}'
fine: '{{ .ok }}{{ .ok }}'
ok: 1
out: '{{ .a }}'
`)}, nil)
	for name, want := range map[string]string{
		"a":    "v.yml:2:4: variables need each other: a (v.yml:2:4) → b (v.yml:3:4) → c (v.yml:4:4) → a (v.yml:2:4)",
		"self": "v.yml:5:7: variables need each other: self (v.yml:5:7) → self (v.yml:5:7)",
		"out":  "v.yml:2:4: variables need each other: a (v.yml:2:4) → b (v.yml:3:4) → c (v.yml:4:4) → a (v.yml:2:4)",
	} {
		_, ok, err := s.Lookup(name)
		var d diag.Diagnostic
		if ok || err == nil || !errors.As(err, &d) || !strings.HasPrefix(err.Error(), want+" (") {
			t.Errorf("%s: got %v\nwant %s", name, err, want)
		}
	}
	if got, _, err := s.Lookup("fine"); got != "11" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLongChainsEnd(t *testing.T) {
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "v%d: '{{ .v%d }}'\n", i, i+1)
	}
	text.WriteString("v300: 1\n")
	s := NewScope([]Layer{layer(t, "v", text.String())}, nil)
	if _, _, err := s.Lookup("v0"); err == nil || !strings.Contains(err.Error(), "more than 200 variables") {
		t.Errorf("got %v", err)
	}
	if got, _, err := s.Lookup("v150"); got != 1 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestErrorsSayWhatTheValueIsFor(t *testing.T) {
	s := NewScope([]Layer{layer(t, "v", "a: '{{ .b }}'\nb: 'x {{ .nme }}'\nname: 1\n")}, nil)
	_, _, err := s.Lookup("a")
	if want := `v.yml:2:10: .nme is undefined (needed for .b) (did you mean "name"?)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// hosts makes the scopes of some hosts, each with hostvars.
func hosts(t testing.TB, texts map[string]string) map[string]*Scope {
	scopes := map[string]*Scope{}
	hv := HostVars{
		Hosts: func() []string { return value.Keys(scopes) },
		Scope: func(h string) (*Scope, bool, error) {
			s, ok := scopes[h]
			return s, ok, nil
		},
	}
	magic := Layer{Name: "magic", Func: func(name string) (any, bool, error) {
		if name == "hostvars" {
			return hv, true, nil
		}
		return nil, false, nil
	}, Names: func() []string { return []string{"hostvars"} }}
	for h, text := range texts {
		scopes[h] = NewScope([]Layer{layer(t, h, text), magic}, nil)
	}
	return scopes
}

func TestHostVars(t *testing.T) {
	scopes := hosts(t, map[string]string{
		"web01": "ip: 10.0.0.1\nurl: 'http://{{ .ip }}'\npeer: '{{ index .hostvars \"web02\" }}'\nurls: '{{ range $h, $v := .hostvars }}{{ $h }}={{ $v.url }};{{ end }}'\nlook: '{{ .peer.ip }}'\nmine: '{{ .hostvars.web01.ip }}'",
		"web02": "ip: 10.0.0.2\nurl: 'https://{{ .ip }}'\nbroken: '{{ .nope }}'\nback: '{{ .hostvars.web01.loop }}'",
		"web03": "url: x\nall: '{{ .hostvars.web01.ip }} {{ .hostvars | keys | join \",\" }} {{ .hostvars.web09.x | default \"none\" }}'\nring: '{{ .hostvars.web03.ring }}'",
	})
	for _, c := range []struct{ host, name, want string }{
		{"web01", "urls", "web01=http://10.0.0.1;web02=https://10.0.0.2;web03=x;"},
		{"web01", "look", "10.0.0.2"},
		{"web01", "mine", "10.0.0.1"},
		{"web03", "all", "10.0.0.1 web01,web02,web03 none"},
	} {
		for range 2 {
			if got, _, err := scopes[c.host].Lookup(c.name); got != c.want || err != nil {
				t.Errorf("%s.%s = %v, %v; want %s", c.host, c.name, got, err, c.want)
			}
		}
	}
	if _, _, err := scopes["web03"].Lookup("ring"); err == nil || !strings.Contains(err.Error(), "variables need each other: ring") {
		t.Errorf("got %v", err)
	}
}

func TestCycleThroughHosts(t *testing.T) {
	scopes := hosts(t, map[string]string{
		"a": "x: '{{ .hostvars.b.x }}'\ny: '{{ $h := .hostvars }}{{ $h.b.y }}'\nall: '{{ .hostvars }}'",
		"b": "x: '{{ .hostvars.a.x }}'\ny: '{{ .friend.y }}'\nfriend: '{{ .hostvars.a }}'",
	})
	for _, name := range []string{"x", "y"} {
		_, _, err := scopes["a"].Lookup(name)
		if !errors.Is(err, errCycle) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	v, list := template.New(template.Config{}).Compile(source.FromValue("{{ .all }}", diag.Pos{}))
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	if _, err := v.Eval(&template.Context{Scope: scopes["a"]}); err == nil {
		t.Error("all variables of all hosts, which hold each other, came out")
	}
}

func TestUnknownVariables(t *testing.T) {
	s := NewScope([]Layer{
		{Name: "register", Vars: Plain(map[string]any{"r": value.Unknown{Reason: "task x was not run"}})},
		layer(t, "play", "out: '{{ .r.stdout }}'\npath: '/x/{{ .out }}'\nm: {a: '{{ .out }}', b: 1}"),
	}, nil)
	for _, name := range []string{"out", "path"} {
		if got, ok, err := s.Lookup(name); got != (value.Unknown{Reason: "task x was not run"}) || !ok || err != nil {
			t.Errorf("%s = %v, %v, %v", name, got, ok, err)
		}
	}
	if m, _, err := s.Lookup("m"); err != nil || m.(map[string]any)["b"] != 1 {
		t.Errorf("m = %v, %v", m, err)
	}
}

func TestContextOfVariables(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := NewScope([]Layer{layer(t, "v", "a: '{{ range 3 }}x{{ end }}'\nb: '{{ lookup \"file\" \"x\" }}'")}, func(*Scope) *template.Context {
		return &template.Context{Ctx: ctx, Find: func(kind, name string) (string, error) { return "", errors.New("looked for " + kind + "/" + name) }}
	})
	if _, _, err := s.Lookup("a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.Lookup("b"); err == nil || !strings.Contains(err.Error(), "looked for files/x") {
		t.Errorf("got %v", err)
	}
}

// Many goroutines look at each other's hosts, for the race detector; nobody
// mistakes another's evaluation for a cycle.
func TestConcurrentLookup(t *testing.T) {
	scopes := hosts(t, map[string]string{
		"a": "x: '{{ .hostvars.b.y }}'\ny: 1",
		"b": "x: '{{ .hostvars.a.y }}'\ny: '{{ .z }}'\nz: 2",
	})
	var wg sync.WaitGroup
	for i := range 16 {
		host, want := "a", 2
		if i%2 == 1 {
			host, want = "b", 1
		}
		wg.Go(func() {
			for range 50 {
				if got, _, err := scopes[host].With().Lookup("x"); got != want || err != nil {
					t.Errorf("%s: %v, %v", host, got, err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkLookup(b *testing.B) {
	base := make([]Layer, 20)
	for i := range base {
		base[i] = layer(b, fmt.Sprint("layer", i), fmt.Sprintf("v%d: '{{ .w }}-%d'\nw: %d", i, i, i))
	}
	s := NewScope(base, nil)
	b.Run("memoized", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Lookup("v3")
		}
	})
	b.Run("new task", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.With(base[0]).Lookup("v3")
		}
	})
}
