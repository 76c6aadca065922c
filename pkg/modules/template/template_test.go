package template_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/template"
)

type m = map[string]any

func project(t *testing.T) *modulestest.Controller {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "templates"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "templates/app.conf"), []byte("server\nport\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	return &modulestest.Controller{Dir: dir, RenderFunc: func(path string, opts modules.RenderOptions) ([]byte, error) {
		b, err := os.ReadFile(path)
		if opts.Extra["template_fullpath"] != path || opts.Extra["template_path"] != "app.conf" {
			return nil, fmt.Errorf("variables %v", opts.Extra)
		}
		return []byte(opts.LeftDelim + "rendered " + string(b)), err
	}}
}

func content(path, want string) func(*testing.T, host.Reader, string) {
	return func(t *testing.T, r host.Reader, dir string) {
		t.Helper()
		b, err := host.ReadFile(r, strings.ReplaceAll(path, "$DIR", dir))
		if err != nil || string(b) != want {
			t.Fatalf("%s: %q, %v; want %q", path, b, err, want)
		}
	}
}

func TestConformance(t *testing.T) {
	hosts := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddFile("/etc/app.conf", "rendered server\nport\n", 0o640)
		h.AddCommand([]string{"refuse", "*"}, host.Output{RC: 1, Stdout: []byte("no good")}, nil)
	})
	cases := map[string]modulestest.Case{
		"new": {
			Host: hosts, Args: m{"src": "app.conf", "dest": "/etc/new.conf", "mode": "preserve"}, Diff: true,
			Check:  content("/etc/new.conf", "rendered server\nport\n"),
			Values: m{"mode": "0640", "dest": "/etc/new.conf"},
			Drift:  func(t *testing.T, w host.Writer, _ string) { w.Remove("/etc/new.conf") },
		},
		"unchanged":      {Host: hosts, Args: m{"src": "app.conf", "dest": "/etc/app.conf"}, Unchanged: true},
		"refused":        {Host: hosts, Args: m{"src": "app.conf", "dest": "/etc/new.conf", "validate": "refuse %s"}, WantErr: "no good"},
		"windows lines":  {Host: hosts, Args: m{"src": "app.conf", "dest": "/etc/", "newline_sequence": `\r\n`, "variable_start_string": "<<", "variable_end_string": ">>"}, Check: content("/etc/app.conf", "<<rendered server\r\nport\r\n")},
		"real directory": {Args: m{"src": "app.conf", "dest": "$DIR/x/"}, Check: content("$DIR/x/app.conf", "rendered server\nport\n")},
	}
	for name, c := range cases {
		c.Module, c.Controller = template.Module(), project(t)
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// What rendering cannot know in a dry run stays unknown, as the engine expects.
func TestUnknown(t *testing.T) {
	ctl := project(t)
	ctl.RenderFunc = func(string, modules.RenderOptions) ([]byte, error) {
		return nil, host.Unknownf("the output of a command that was not run")
	}
	_, err := template.Module().Prepare(t.Context(), ctl, m{"src": "app.conf", "dest": "/etc/f"})
	if _, ok := host.IsUnknown(err); !ok {
		t.Fatalf("got %v", err)
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]m{
		"belong together":           {"src": "a", "dest": "/f", "variable_start_string": "<<"},
		"newline_sequence is \"x\"": {"src": "a", "dest": "/f", "newline_sequence": "x"},
		"validate must contain %s":  {"src": "a", "dest": "/f", "validate": "x"},
		`needs the option "src"`:    {"dest": "/f"},
		`has no option "trim_block`: {"src": "a", "dest": "/f", "trim_blocks": true},
	} {
		if err := template.Module().CheckArgs(args, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
}
