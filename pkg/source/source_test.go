package source

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseValues(t *testing.T) {
	text := `
base: &b {x: 1, y: two}
list:
- a
-   b
mode: 0644
omode: 0o644
n: 644
neg: -3
f: 1.5
yes: yes
t: true
nothing:
tilde: ~
str: "0644"
big: 12345678901
merged:
  <<: *b
  y: mine
ref: *b
text: |
  line one {{ .a }}
  line two
fold: >-
  a
  b
tag: !vault |
  $ANSIBLE_VAULT;1.1;AES256
u: !unsafe "{{ x }}"
date: 2026-01-01
ver: 1.10
`
	n, l := Parse("x.yml", []byte(text))
	if l.Len() > 0 {
		t.Fatal(l.Err())
	}
	got := n.Value().(map[string]any)
	want := map[string]any{
		"base": map[string]any{"x": 1, "y": "two"}, "list": []any{"a", "b"},
		"mode": "0644", "omode": "0o644", "n": 644, "neg": -3, "f": 1.5, "yes": "yes", "t": true,
		"nothing": nil, "tilde": nil, "str": "0644", "big": 12345678901,
		"merged": map[string]any{"x": 1, "y": "mine"}, "ref": map[string]any{"x": 1, "y": "two"},
		"text": "line one {{ .a }}\nline two\n", "fold": "a b", "tag": "$ANSIBLE_VAULT;1.1;AES256\n",
		"u": "{{ x }}", "date": "2026-01-01", "ver": 1.1,
	}
	for k, w := range want {
		if !reflect.DeepEqual(got[k], w) {
			t.Errorf("%s = %#v, want %#v", k, got[k], w)
		}
	}
	if p := n.Get("text").BlockPos; p.Line != 22 || p.Col != 3 {
		t.Errorf("block position %v", p)
	}
	if n.Get("tag").Tag != "!vault" || n.Get("u").Tag != "!unsafe" {
		t.Error("tags are lost")
	}
	if f, _ := n.Field("list"); f.Pos.Line != 3 || f.Pos.Col != 1 || f.Node.Items[1].Pos.Line != 5 || f.Node.Items[1].Pos.Col != 5 {
		t.Errorf("positions %v %v", f.Pos, f.Node.Items[1].Pos)
	}
}

func TestParseMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unquoted":       {"a:\n  b: {{ .x }}\n", `f.yml:2:6: a value that starts with {{ must be quoted`},
		"unquoted item":  {"- {{ .x }}\n", `f.yml:1:3: a value that starts with {{`},
		"task arg":       {"- name: x\n  copy:\n    src: {{ .a }}/b\n", `f.yml:3:10: a value`},
		"duplicate":      {"a: 1\nb: 2\na: 3\n", `f.yml:3:1: key "a" is there twice; first at line 1`},
		"tab":            {"a:\n\tb: 1\n", `f.yml:2:1: YAML:`},
		"unclosed":       {"a: [1, 2\n", `f.yml:1`},
		"unclosed quote": {"a: \"x\n", `f.yml:1:4: YAML:`},
		"alias":          {"a: *nope\n", `alias *nope has no anchor`},
		"two docs":       {"a: 1\n---\nb: 2\n", `f.yml:3:1: a second YAML document`},
		"binary":         {"\xff\xfe", `is not UTF-8`},
		"bad indent":     {"a:\n  b: 1\n c: 2\n", `f.yml:3`},
	} {
		t.Run(name, func(t *testing.T) {
			n, l := Parse("f.yml", []byte(c.text))
			if n != nil || l.Err() == nil || !strings.Contains(l.Err().Error(), c.want) {
				t.Errorf("got %v, %v; want %q", n, l.Err(), c.want)
			}
		})
	}
}

func TestTemplatesThatAreFine(t *testing.T) {
	for _, text := range []string{
		"a: \"{{ .x }}\"\n", "a: x {{ .x }}\n", "a: |\n  {{ .x }}\n  b: {{ .y }}\nc: 1\n", "# a: {{ x }}\nb: 1\n",
		"when: eq .x 1\n", "- shell: |\n    b: {{ .y }}\n  name: x\n", "empty:\n", "", "---\n", "a: '{{ .x }}'\n",
	} {
		if _, l := Parse("f.yml", []byte(text)); l.Len() > 0 {
			t.Errorf("%q: %v", text, l.Err())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a: [1, {b: *c}]\n")
	f.Add("&a [*a]\n")
	f.Add("a: |\n  x\n- ")
	f.Add("<<: {a: 1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, l := Parse("f.yml", []byte(text))
		if (n == nil) != l.HasErrors() {
			t.Fatalf("node %v with %v", n, l.Err())
		}
	})
}
