package std_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/std"
)

// Every module that ships is documented to its users, option by option.
func TestModulesAreDocumented(t *testing.T) {
	reg, err := modules.NewRegistry(std.All()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range reg.Names() {
		m, _ := reg.Lookup(name)
		if m.Short == "" {
			t.Errorf("module %s has no Short", name)
		}
		for _, o := range m.Options() {
			if !o.Internal && o.Doc == "" {
				t.Errorf("module %s, option %s: there is no doc", name, o.Name)
			}
		}
		if _, ok := reg.Lookup("ansible.builtin." + name); !ok {
			t.Errorf("module %s is not found under ansible.builtin", name)
		}
	}
}
