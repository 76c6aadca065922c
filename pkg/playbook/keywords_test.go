package playbook

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The documentation names every keyword that is read, and says of those that
// are known and not supported that they are not.
func TestKeywordsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/playbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	named := func(doc string) []string {
		var out []string
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(doc, -1) {
			out = append(out, m[1])
		}
		return out
	}
	supported, notSupported, ok := strings.Cut(string(text), "## Not supported yet")
	if !ok {
		t.Fatal("the list of what is not supported is gone")
	}
	keywords := slices.Concat(
		playSetters.names(), playSections, blockSetters.names(), taskSetters.names(), commonSetters.names(),
		useSetters.names(), loopSetters.names(), taskExtras, metas, metaKeys[:3], roleOptions[2:8],
	)
	for _, k := range keywords {
		if !slices.Contains(named(supported), k) {
			t.Errorf("keyword %s is not documented", k)
		}
	}
	for k := range notYet {
		if !slices.Contains(named(notSupported), k) {
			t.Errorf("keyword %s is not listed as not supported", k)
		}
	}
}

// A keyword stands in one table only, or what wins would depend on the order
// in which the tables are asked.
func TestKeywordsAreInOneTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range slices.Concat(taskSetters.names(), blockSetters.names(), commonSetters.names()) {
		if seen[k] {
			t.Errorf("keyword %s is read twice", k)
		}
		seen[k] = true
	}
	for k := range notYet {
		if seen[k] {
			t.Errorf("keyword %s is read and not supported", k)
		}
	}
}
