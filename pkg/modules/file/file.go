// Package file is the module file: mode, owner and times of files, links and
// directories, and whether they are there. Each kind of state is a Resource of
// its own: present.go (file, directory, touch), link.go (link, hard) and
// absent.go; what they share with other modules is in internal/files.
package file

import (
	"context"
	"errors"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	Path       string `arg:"path,required,alias=dest|name" doc:"The path, absolute or beginning with ~."`
	State      string `arg:"state" choices:"absent,directory,file,hard,link,touch" doc:"absent: nothing is there (trees are removed). directory: a directory, with its parents. file: what is there stays and gets the attributes; nothing there is an error. link, hard: a link to src. touch: a file with new times, made when it is not there. Left out: what is there, directory with recurse, else file."`
	Src        string `arg:"src" doc:"What a link leads to; of link, relative to the link's directory or absolute. Left out for a link that is there: where it leads now."`
	Recurse    bool   `arg:"recurse" doc:"Give the attributes to everything in the directory too. Links in it are not followed."`
	Force      bool   `arg:"force" doc:"Make a link although src is not there, or something else is in its place (but not a directory with something in it)."`
	Follow     bool   `arg:"follow" default:"true" doc:"When path is a link, act on what it leads to; with state=link the attributes go there."`
	AccessTime string `arg:"access_time" doc:"now, preserve, or a time as access_time_format says. Left out: now with touch, else preserve."`
	ModTime    string `arg:"modification_time" doc:"now, preserve, or a time as modification_time_format says. Left out: now with touch, else preserve."`
	AccFormat  string `arg:"access_time_format" default:"%Y%m%d%H%M.%S" doc:"How access_time is written, in strftime's words; the time is the host's local time."`
	ModFormat  string `arg:"modification_time_format" default:"%Y%m%d%H%M.%S" doc:"How modification_time is written, in strftime's words; the time is the host's local time."`
	files.Attrs
}

// Check has the rules between options.
func (a *args) Check() error {
	switch {
	case a.Recurse && a.State != "" && a.State != "directory":
		return errors.New("recurse needs state=directory")
	case a.State == "hard" && a.Src == "":
		return errors.New("src is needed with state=hard")
	case a.Src != "" && a.State != "link" && a.State != "hard":
		return errors.New("src is for state=link and state=hard")
	case a.Mode.IsPreserve():
		return errors.New("mode: preserve is for modules that copy a file")
	}
	_, err := a.times()
	return err
}

// Module returns the module file.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "file",
		Short: "Sets mode, owner and times of files, makes links and directories, removes them",
		Doc: "Parents that a directory needs get the same attributes. A file is never taken for a directory or the other way round. " +
			"Unlike Ansible's, recurse does not follow links out of the tree.\n\n" + files.LeftOut,
		Returns: append([]modules.Return{
			{Name: "path", Type: "string", Doc: "The path, links followed; not for links."},
			{Name: "dest", Type: "string", Doc: "The link, with state=link and state=hard."},
			{Name: "src", Type: "string", Doc: "Where the link leads, as written."},
		}, files.AttrReturns...),
		Examples: `- file:
    path: /etc/app/conf.d
    state: directory
    mode: "0750"
    group: app
- file:
    src: ../sites-available/www
    dest: /etc/nginx/sites-enabled/www
    state: link
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	times, err := a.times()
	if err != nil {
		return nil, err
	}
	switch a.State {
	case "absent":
		return modules.Managed(&absent{env: env, args: a}), nil
	case "link":
		return modules.Managed(&link{env: env, args: a}), nil
	case "hard":
		return modules.Managed(&hard{env: env, args: a}), nil
	case "":
		return &asFound{env: env, args: a, times: times}, nil
	}
	return modules.Managed(&present{env: env, args: a, times: times}), nil
}

// asFound is the action when state is left out: a link that is not followed
// keeps leading where it does, anything else is present.
type asFound struct {
	modules.Action
	env   modules.Env
	args  *args
	times times
}

func (f *asFound) Plan(ctx context.Context, r host.Reader) (modules.Plan, error) {
	f.Action = modules.Managed(&present{env: f.env, args: f.args, times: f.times})
	p, err := files.Expand(ctx, f.env, r, f.args.Path)
	if err != nil {
		return modules.Plan{}, err
	}
	now, err := files.Look(ctx, r, bare(p))
	if _, unknown := host.IsUnknown(err); err != nil && !unknown {
		return modules.Plan{}, err
	}
	if now.Type == host.Link && !f.args.Follow {
		f.Action = modules.Managed(&link{env: f.env, args: f.args})
	}
	return f.Action.Plan(ctx, r)
}

// bare is a path without the slash at its end.
func bare(p string) string {
	if len(p) > 1 && p[len(p)-1] == '/' {
		return p[:len(p)-1]
	}
	return p
}

// absent is the Resource of state=absent.
type absent struct {
	env  modules.Env
	args *args
}

type found struct {
	Path string
	files.Entry
}

func (a *absent) Current(ctx context.Context, r host.Reader) (found, error) {
	p, err := files.Expand(ctx, a.env, r, a.args.Path)
	if err != nil {
		return found{}, err
	}
	if p = bare(p); p == "/" {
		return found{}, errors.New("the root directory is not removed")
	}
	e, err := files.Look(ctx, r, p)
	return found{p, e}, err
}

func (a *absent) Desired(cur found) (found, error) { return found{Path: cur.Path}, nil }

func (a *absent) Diff(cur, want found) []modules.Change {
	return files.Changes(cur.Entry, want.Entry, "")
}

func (a *absent) Apply(ctx context.Context, w host.Writer, _, want found) error {
	if want.Path == "" { // a dry run could not look
		p, err := files.Expand(ctx, a.env, w, a.args.Path)
		if err != nil {
			return err
		}
		want.Path = bare(p)
	}
	if err := w.Remove(want.Path); err != nil {
		return fmt.Errorf("remove %s: %w", want.Path, err)
	}
	return nil
}

func (a *absent) Values(_, want found, _ bool) map[string]any {
	return map[string]any{"path": want.Path, "state": "absent"}
}
