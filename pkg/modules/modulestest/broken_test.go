package modulestest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// broken modules, each with one fault, and what the suite says about it.
var broken = map[string]struct {
	module *modules.Module
	says   string
}{
	"swallows read errors": {define(func(a *fault) {
		a.read = func(r host.Reader) (string, error) { b, _ := host.ReadFile(r, "/etc/f"); return string(b), nil }
	}), "and the plan went on"},
	"does not write": {define(func(a *fault) {
		a.write = func(host.Writer) error { return nil }
	}), "does not show the wanted state"},
	"writes on the host in a dry run": {define(func(a *fault) {
		a.write = func(w host.Writer) error {
			theHost.AddFile("/etc/leak", "", 0o644)
			return a.put(w, "new")
		}
	}), "the dry run left another state"},
	"runs commands of its own": {define(func(a *fault) {
		a.write = func(w host.Writer) error {
			if _, err := w.Run(context.Background(), host.Command{Argv: []string{"rm", "-rf", "/"},
				Pretend: func(host.Writer) error { return nil }}); err != nil {
				return err
			}
			return a.put(w, "new")
		}
	}), `was not told of the command ["rm" "-rf" "/"]`},
	"changes something else in the run": {define(func(a *fault) {
		a.outcome = []modules.Change{{Field: "surprise"}}
	}), "predicted other changes"},
	"leaves a trace at every run": {define(func(a *fault) {
		a.always = true
	}), "the shadow does not show the wanted state"},
}

var theHost *modulestest.Host

type noArgs struct{}

type fault struct {
	read    func(host.Reader) (string, error)
	write   func(host.Writer) error
	outcome []modules.Change
	always  bool
}

func (*fault) put(w host.Writer, s string) error {
	return w.WriteFile("/etc/f", strings.NewReader(s), host.Attrs{})
}

func define(spoil func(*fault)) *modules.Module {
	return modules.Define(modules.Spec{Name: "broken"}, func(modules.Env, *noArgs) (modules.Action, error) {
		f := &fault{read: func(r host.Reader) (string, error) {
			b, err := host.ReadFile(r, "/etc/f")
			return string(b), err
		}}
		f.write = func(w host.Writer) error { return f.put(w, "new") }
		spoil(f)
		return modules.Custom(func(_ context.Context, r host.Reader) (modules.Plan, error) {
			s, err := f.read(r)
			if err != nil || s == "new" && !f.always {
				return modules.Plan{Verdict: modules.Verdict{Kind: modules.NoChange}}, err
			}
			return modules.Plan{Verdict: modules.Verdict{Kind: modules.WillChange}, Changes: []modules.Change{{Field: "content"}}}, nil
		}, func(_ context.Context, w host.Writer) (modules.Outcome, error) {
			out := modules.Outcome{Changed: true}
			if _, isReal := w.(*modulestest.Host); !isReal {
				return out, f.write(w)
			}
			out.Changes = f.outcome
			return out, f.write(w)
		}, modules.Unverifiable), nil
	})
}

const brokenVar = "MODULESTEST_BROKEN"

// The suite finds each fault: it is run on a broken module in a process of its
// own, which must fail and say why.
func TestConformanceFindsFaults(t *testing.T) {
	if name := os.Getenv(brokenVar); name != "" {
		modulestest.Conformance(t, modulestest.Case{
			Module: broken[name].module, Args: map[string]any{},
			Host: modulestest.NewTestHost(func(h *modulestest.Host) {
				h.AddFile("/etc/f", "old", 0o644)
				theHost = h
			}),
		})
		return
	}
	for name, b := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestConformanceFindsFaults$")
			cmd.Env = append(os.Environ(), brokenVar+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), b.says) {
				t.Fatalf("%v; the suite should say %q:\n%s", err, b.says, out)
			}
		})
	}
}
