package template

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"

	"github.com/foobar-play/foobar-play/pkg/value"
)

const docs = "../../docs/templates.md"

// The documentation lists every function, and only those that exist.
func TestDocumentedFunctions(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Functions\n")
	table, _, _ = strings.Cut(table, "\n## ")
	table = strings.ReplaceAll(table, ": `file`, `template`, `env` (allowed names only), `vars`, `first_found`, `fileglob`", "")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(table, -1) {
		listed[m[1]] = true
	}
	e := New(Config{})
	for _, name := range e.Functions() {
		if !listed[name] {
			t.Errorf("%s is not in %s", name, docs)
		}
	}
	for name := range listed {
		if e.funcs[name] == nil {
			t.Errorf("%s is in %s and does not exist", name, docs)
		}
		if removed[name] != "" {
			t.Errorf("%s is documented and removed", name)
		}
	}
}

// The documentation's examples give what it says.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Examples\n")
	scope := vals{
		"name": "web01", "port": 443, "r": map[string]any{"changed": true, "rc": 0},
		"users": []any{map[string]any{"name": "ann", "uid": 1000}, map[string]any{"name": "bob", "uid": 999}},
	}
	rows := regexp.MustCompile("(?m)^\\| `(.*)` \\| `(.*)` \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("%d examples found", len(rows))
	}
	for _, row := range rows {
		tmpl := strings.ReplaceAll(row[1], `\|`, "|")
		got, err := eval(t, New(Config{}), tmpl, &Context{Scope: scope})
		if err != nil || value.Text(got) != row[2] {
			t.Errorf("%s: got %q, %v; want %q", tmpl, value.Text(got), err, row[2])
		}
	}
}

// Everything of sprig is either here or left out for a stated reason.
func TestNothingOfSprigIsForgotten(t *testing.T) {
	e := New(Config{})
	for _, name := range sprigNames() {
		if (e.funcs[name] == nil) == (removed[name] == "") {
			t.Errorf("%s: offered %v, removed for %q", name, e.funcs[name] != nil, removed[name])
		}
	}
}

func sprigNames() []string { return value.Keys(sprig.TxtFuncMap()) }
