package vars

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func all(t *testing.T, vars map[string]Var) map[string]any {
	t.Helper()
	s := NewScope([]Layer{{Vars: vars}}, nil)
	out := map[string]any{}
	for name := range vars {
		v, _, err := s.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = v
	}
	return out
}

func TestParseExtra(t *testing.T) {
	e := template.New(template.Config{})
	path := filepath.Join(t.TempDir(), "v.yml")
	if err := os.WriteFile(path, []byte("a: 1\nb: '{{ .a }}'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]map[string]any{
		`a=1 b='x y' c="it's"`:             {"a": "1", "b": "x y", "c": "it's"},
		`a=yes b=a\ b c=`:                  {"a": "yes", "b": "a b", "c": ""},
		`a=x=y`:                            {"a": "x=y"},
		`a='{{ .b | default "q r" }}' b=2`: {"a": "2", "b": "2"},
		`a={{ .b }}! b=z`:                  {"a": "z!", "b": "z"},
		`a={{ print "x y" }}`:              {"a": "x y"},
		`url=http://h:80/?a=b`:             {"url": "http://h:80/?a=b"},
		`{"a": 1, "b": [true, null]}`:      {"a": 1, "b": []any{true, nil}},
		`{a: 1, b: x}`:                     {"a": 1, "b": "x"},
		"a: 1\nb: c=d":                     {"a": 1, "b": "c=d"},
		"a: {b: 1}":                        {"a": map[string]any{"b": 1}},
		"@" + path:                         {"a": 1, "b": 1},
		"":                                 {},
		`p="a\"b" q=\\`:                    {"p": `a"b`, "q": `\`},
	} {
		vars, list := ParseExtra(text, e)
		if list.Len() > 0 {
			t.Errorf("%s: %v", text, list.All())
			continue
		}
		if got := all(t, vars); !value.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`a`:                `-e:1:1: "a" is no variable (write name=value`,
		`a=1 bc`:           `-e:1:5: "bc" is no variable`,
		`a-b=1`:            `-e:1:1: "a-b" is no name for a variable`,
		`a='x`:             `-e:1:1: the quote ' is not closed`,
		`[1, 2]`:           `-e:1:1: "[1," is no variable`,
		`{a: 1`:            `-e:1`,
		`a={{ foo }}`:      `function "foo" is not defined`,
		`@/none/there.yml`: `no such file`,
		`{"a-b": 1}`:       `"a-b" is no name for a variable: letters, digits and _ only, not a digit first (call it a_b)`,
	} {
		if _, list := ParseExtra(text, e); !list.HasErrors() || !strings.Contains(fmt.Sprint(list.All()), want) {
			t.Errorf("%s: got %v, want %s", text, list.All(), want)
		}
	}
}

func TestLoadFile(t *testing.T) {
	e := template.New(template.Config{})
	dir := t.TempDir()
	for text, want := range map[string]string{
		"":                               "",
		"---\n":                          "",
		"a: 1\n":                         "",
		`{"a": [1]}`:                     "",
		"- 1\n":                          ":1:1: variables are a map of names and values, this is a list",
		"a-b: 1\nc: '{{ foo }}'\n":       `:2:8: function "foo" is not defined`,
		"$ANSIBLE_VAULT;1.1;AES256\n123": "is encrypted with Ansible Vault",
		"a: 1\na: 2\n":                   "is there twice",
	} {
		path := filepath.Join(dir, "x.yml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		vars, list := LoadFile(path, e)
		if got := fmt.Sprint(list.All()); (want == "") != (list.Len() == 0) || !strings.Contains(got, want) {
			t.Errorf("%q: got %v, %v; want %s", text, vars, got, want)
		}
		if want == "" && vars == nil {
			t.Errorf("%q: no map", text)
		}
	}
	if _, list := LoadFile(filepath.Join(dir, "none.yml"), e); !list.HasErrors() {
		t.Error("a missing file is no error")
	}
}

func FuzzParseExtra(f *testing.F) {
	f.Add(`a=1 b='x y'`)
	f.Add(`{"a": [1]}`)
	f.Add(`a={{ .b }} \`)
	e := template.New(template.Config{})
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(strings.TrimSpace(text), "@") {
			return // a file
		}
		vars, list := ParseExtra(text, e)
		if vars == nil && !list.HasErrors() {
			t.Fatal("nothing, and no mistake")
		}
		for k := range vars {
			if !name.MatchString(k) {
				t.Fatalf("a variable called %q", k)
			}
		}
	})
}

func TestPrecedenceNumbersAreAnsibles(t *testing.T) {
	if PrecedenceRoleDefaults != 2 || PrecedenceFacts != 11 || PrecedencePlayVars != 12 || PrecedenceTaskVars != 17 || PrecedenceExtra != 22 {
		t.Error("the levels are not Ansible's")
	}
}
