// Package architecture tests what the layout promises: imports point down the
// list of layers, never up, so that a reader can take the packages one by one.
package architecture

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/foobar-play/foobar-play/"

// layers, the highest first. A package may import from layers below its own,
// and from packages below itself in its own layer's tree. See
// docs/architecture.md.
var layers = []string{
	"test/",
	"cmd/",
	"pkg/runner",
	"pkg/report",
	"pkg/agent",
	"pkg/connection",
	"pkg/playbook",
	"pkg/inventory",
	"pkg/vars",
	"pkg/template",
	"pkg/modules/std",
	"pkg/modules/", // the modules themselves
	"pkg/modules/modulestest",
	"pkg/modules",
	"pkg/host",
	"pkg/event",
	"pkg/source",
	"pkg/value",
	"pkg/diag",
}

// layer finds the most specific layer of a package.
func layer(pkg string) int {
	best, length := -1, -1
	for i, l := range layers {
		exact := strings.TrimSuffix(l, "/")
		if pkg != exact && !strings.HasPrefix(pkg, exact+"/") || strings.HasSuffix(l, "/") && pkg == exact {
			continue
		}
		if len(l) > length {
			best, length = i, len(l)
		}
	}
	return best
}

func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		from := strings.TrimPrefix(p.ImportPath, module)
		if layer(from) < 0 {
			t.Errorf("package %s is in no layer: add it to the list in this test and to docs/architecture.md", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module)
			if ours && !allowed(from, to) {
				t.Errorf("%s imports %s, which is above it: move what both need down, or hand it in from above", from, to)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func allowed(from, to string) bool {
	a, b := layer(from), layer(to)
	if a != b {
		return a < b
	}
	// Inside a layer: the modules and the tests may share code of their own
	// kind, what is internal to a package may build on it (programs for its
	// tests), anything else only imports what is below itself.
	if parent, _, internal := strings.Cut(from, "/internal/"); internal && strings.HasPrefix(to+"/", parent+"/") {
		return true
	}
	return strings.HasPrefix(to, from+"/") || layers[a] == "pkg/modules/" || layers[a] == "test/" || layers[a] == "pkg/host" || layers[a] == "pkg/report"
}

func TestNobodyImportsUp(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"pkg/runner", "pkg/diag", true},
		{"pkg/diag", "pkg/runner", false},
		{"pkg/modules/copy", "pkg/modules", true},
		{"pkg/modules", "pkg/modules/copy", false},
		{"pkg/modules", "pkg/template", false},
		{"pkg/host/units", "pkg/host", true},
		{"pkg/template", "pkg/vars", false},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("allowed(%s, %s) = %v", c.from, c.to, got)
		}
	}
}
