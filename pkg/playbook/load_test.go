package playbook

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/addhost"
	"github.com/foobar-play/foobar-play/pkg/modules/assert"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
	"github.com/foobar-play/foobar-play/pkg/modules/debug"
	"github.com/foobar-play/foobar-play/pkg/modules/fail"
	"github.com/foobar-play/foobar-play/pkg/modules/groupby"
	"github.com/foobar-play/foobar-play/pkg/modules/includevars"
	"github.com/foobar-play/foobar-play/pkg/modules/setfact"
	"github.com/foobar-play/foobar-play/pkg/modules/shell"
	"github.com/foobar-play/foobar-play/pkg/template"
)

var update = flag.Bool("update", false, "write what is found into testdata/*/*/want.txt")

type fileArgs struct {
	Path  string           `arg:"path,required,alias=dest|name" doc:"Where."`
	State string           `arg:"state" default:"file" choices:"file,directory,absent,link" doc:"What."`
	Mode  modules.FileMode `arg:"mode" doc:"Mode."`
	Owner string           `arg:"owner" doc:"Owner."`
	Depth int              `arg:"depth" doc:"A number."`
	Force bool             `arg:"force" doc:"A flag."`
}

type copyArgs struct {
	Src       string           `arg:"src" doc:"From."`
	Content   string           `arg:"content" doc:"Instead of src."`
	Dest      string           `arg:"dest,required" doc:"To."`
	Mode      modules.FileMode `arg:"mode" doc:"Mode."`
	RemoteSrc bool             `arg:"remote_src" doc:"On the host."`
}

// Check refuses src together with content.
func (c *copyArgs) Check() error {
	if c.Src != "" && c.Content != "" {
		return errors.New("src and content exclude each other")
	}
	return nil
}

type templateArgs struct {
	Src  string           `arg:"src,required" doc:"From."`
	Dest string           `arg:"dest,required" doc:"To."`
	Mode modules.FileMode `arg:"mode" doc:"Mode."`
}

type serviceArgs struct {
	Name  string `arg:"name,required" doc:"Unit."`
	State string `arg:"state" choices:"started,stopped,restarted,reloaded" doc:"State."`
}

type ruleArgs struct {
	Rules []struct {
		Port int    `arg:"port,required" doc:"Port."`
		From string `arg:"from" doc:"From."`
	} `arg:"rules" doc:"Rules."`
}

func double[A any](name string) *modules.Module {
	return modules.Define(modules.Spec{Name: name, Short: name}, func(modules.Env, *A) (modules.Action, error) {
		return nil, errors.New("not run in tests")
	})
}

// registry is some real modules and doubles of others, so that what ships may
// change without changing what is suggested here.
func registry(t testing.TB) *modules.Registry {
	t.Helper()
	reg, err := modules.NewRegistry(
		debug.Module(), assert.Module(), fail.Module(), setfact.Module(), includevars.Module(), command.Module(),
		shell.Module(), groupby.Module(), addhost.Module(),
		double[fileArgs]("file"), double[copyArgs]("copy"), double[templateArgs]("template"),
		double[serviceArgs]("service"), double[ruleArgs]("firewall"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func testLoader(t testing.TB, project string) *Loader {
	t.Helper()
	return NewLoader(Config{Engine: template.New(template.Config{}), Modules: registry(t), ProjectDir: project})
}

// check loads site.yml of a project and checks its variables as a run does.
func check(t testing.TB, dir string) ([]*Playbook, diag.List) {
	t.Helper()
	l := testLoader(t, dir)
	pbs, diags := l.Load([]string{filepath.Join(dir, "site.yml")})
	if !diags.HasErrors() {
		diags.Merge(CheckVariables(pbs, func(*Play) map[string]bool { return map[string]bool{"from_inventory": true} }))
	}
	return pbs, diags
}

// report writes diagnostics as want.txt has them.
func report(dir string, l diag.List) string {
	var b strings.Builder
	for _, d := range l.All() {
		b.WriteString(d.Severity.String() + ": ")
		b.WriteString(strings.ReplaceAll(d.Error(), dir+"/", "") + "\n")
	}
	return b.String()
}

// TestBroken loads every project of testdata/broken and compares all that is
// found with its want.txt. `go test -run TestBroken -update` writes these.
func TestBroken(t *testing.T) {
	dirs, err := filepath.Glob("testdata/broken/*")
	if err != nil || len(dirs) < 30 {
		t.Fatalf("%d projects, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			_, l := check(t, dir)
			compare(t, filepath.Join(dir, "want.txt"), report(dir, l))
			if l.Len() == 0 {
				t.Error("nothing is found")
			}
		})
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
