package hostname

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func named(boot, now string) func(*testing.T) *modulestest.Host {
	return modulestest.NewTestHost(func(h *modulestest.Host) {
		if boot != "" {
			h.AddFile(bootFile, boot+"\n", 0o644)
		}
		h.AddFile(nowFile, now+"\n", 0o644)
		h.AddCommand([]string{"hostname", "web01.foobar.com"}, host.Output{}, func(h *modulestest.Host) {
			h.AddFile(nowFile, "web01.foobar.com\n", 0o644)
		})
	})
}

func TestHostname(t *testing.T) {
	const name = "web01.foobar.com"
	for what, c := range map[string]modulestest.Case{
		"both":      {Host: named("old", "old"), Values: map[string]any{"name": name}},
		"new file":  {Host: named("", "old")},
		"boot only": {Host: named("old", name)},
		"now only":  {Host: named(name, "old")},
		"there":     {Host: named(name, name), Unchanged: true},
	} {
		c.Module, c.Args = Module(), map[string]any{"name": name}
		t.Run(what, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestFacts(t *testing.T) {
	a, err := Module().Build(modules.Env{}, map[string]any{"name": "web01.foobar.com"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "hostname", a, named("x", "x")(t), modules.Mode{})
	if err != nil || res.Facts["hostname"] != "web01" || res.Facts["domain"] != "foobar.com" {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"", "a b", "-a", "a_b", "a..b", "a."} {
		if errs := Module().CheckArgs(map[string]any{"name": bad}, nil); errs == nil {
			t.Errorf("%q is fine", bad)
		}
	}
}
