// Package tempfile is the module tempfile: it makes a file or directory with a
// name of its own, for one use.
package tempfile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type args struct {
	State  string `arg:"state" default:"file" choices:"file,directory" doc:"What to make."`
	Path   string `arg:"path" doc:"The directory to make it in; left out: TMPDIR, or /tmp."`
	Prefix string `arg:"prefix" default:"ansible." doc:"What the name begins with."`
	Suffix string `arg:"suffix" doc:"What the name ends with."`
}

// Check has the rules between options.
func (a *args) Check() error {
	if strings.Contains(a.Prefix+a.Suffix, "/") {
		return errors.New("prefix and suffix are parts of a name and hold no slash")
	}
	return nil
}

// Module returns the module tempfile.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "tempfile",
		Short: "Makes a temporary file or directory",
		Doc: "Only the user the task runs as may use it (0600, 0700). It is for the playbook to remove it, with file and state: absent. " +
			"Every run makes another and counts as a change; in a dry run the path is not known. Nothing is left out.",
		Returns: append([]modules.Return{{Name: "path", Type: "string", Doc: "What was made."}}, files.AttrReturns...),
		Examples: `- tempfile:
    state: directory
  register: work
- file:
    path: "{{ .work.path }}"
    state: absent
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	var dir, made string
	plan := func(ctx context.Context, r host.Reader) (modules.Plan, error) {
		var err error
		if dir, err = a.dir(ctx, env, r); err != nil {
			return modules.Plan{}, err
		}
		isDir, err := files.IsDir(r, dir)
		if err == nil && !isDir {
			err = fmt.Errorf("the directory %s, to make a temporary %s in, does not exist", dir, a.State)
		}
		return modules.Plan{
			Verdict: modules.Verdict{Kind: modules.WillChange},
			Changes: []modules.Change{{Field: "state", Before: "absent", After: a.State}},
			Values:  map[string]any{"path": value.Unknown{Reason: "the name of a temporary " + a.State + " is chosen in the run"}, "state": a.State},
		}, err
	}
	apply := func(ctx context.Context, w host.Writer) (modules.Outcome, error) {
		if host.Pretends(w) {
			return modules.Outcome{Changed: true}, nil
		}
		var err error
		if made, err = a.make(w, dir); err != nil {
			return modules.Outcome{}, fmt.Errorf("make a temporary %s: %w", a.State, err)
		}
		e, err := files.Look(ctx, w, made)
		v := e.Values()
		v["path"] = made
		return modules.Outcome{Changed: true, Values: v}, err
	}
	verify := func(ctx context.Context, r host.Reader) ([]modules.Change, error) {
		e, err := files.Look(ctx, r, made)
		if err == nil && files.StateOf(e) != a.State {
			return []modules.Change{{Field: "state", Before: files.StateOf(e), After: a.State}}, nil
		}
		return nil, err
	}
	return modules.Custom(plan, apply, verify), nil
}

func (a *args) dir(ctx context.Context, env modules.Env, r host.Reader) (string, error) {
	dir := a.Path
	if dir == "" {
		dir, _ = env.LookupEnv("TMPDIR")
	}
	if dir == "" {
		dir = "/tmp"
	}
	return files.Expand(ctx, env, r, dir)
}

// make tries names until one is free; a name cannot be guessed.
func (a *args) make(w host.Writer, dir string) (string, error) {
	for {
		p := path.Join(dir, a.Prefix+strings.ToLower(rand.Text()[:12])+a.Suffix)
		there, err := host.Exists(w, p)
		if err != nil {
			return "", err
		}
		if there {
			continue
		}
		if a.State == "directory" {
			if err = w.Mkdir(p, 0o700); errors.Is(err, fs.ErrExist) {
				continue
			}
			return p, err
		}
		mode := uint32(0o600)
		return p, w.WriteFile(p, strings.NewReader(""), host.Attrs{Mode: &mode})
	}
}
