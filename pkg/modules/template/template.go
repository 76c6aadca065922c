// Package template is the module template: it renders a template of the
// controller with the task's variables and puts the result on the host, the
// way copy does. Rendering is the Controller's business; everything on the
// host is shared with copy in internal/files.
package template

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	Src         string `arg:"src,required" doc:"The template on the controller, searched in the role's templates."`
	Dest        string `arg:"dest,required" doc:"Where to, absolute or beginning with ~. With a slash at its end, or when it is a directory, the file gets the template's own name in it."`
	Backup      bool   `arg:"backup" doc:"Keep a file that is replaced under a name with the time in it (backup_file)."`
	Validate    string `arg:"validate" doc:"A command, without a shell, that is run on the new content before it replaces the file; %s stands for the file to look at. When it fails the file is left alone."`
	Force       bool   `arg:"force" default:"true" doc:"Replace a file that has other content. Without, an existing file is left as it is."`
	Follow      bool   `arg:"follow" doc:"When dest is a link, write to where it leads. Without, the link is replaced."`
	Newline     string `arg:"newline_sequence" doc:"What ends a line in the result: \\n (the default), \\r or \\r\\n."`
	StartString string `arg:"variable_start_string" doc:"What opens an action in this template, instead of two braces."`
	EndString   string `arg:"variable_end_string" doc:"What closes an action in this template, instead of two braces."`
	files.Attrs

	Items []files.Item `arg:"_items,internal"`
	Name  string       `arg:"_name,internal"`
}

// lineEnds are what newline_sequence may be, as characters or as written with
// backslashes.
var lineEnds = map[string]string{
	"": "\n", "\n": "\n", "\r": "\r", "\r\n": "\r\n", `\n`: "\n", `\r`: "\r", `\r\n`: "\r\n",
}

// Check has the rules between options.
func (a *args) Check() error {
	if _, ok := lineEnds[a.Newline]; !ok {
		return fmt.Errorf(`newline_sequence is %q, and must be \n, \r or \r\n`, a.Newline)
	}
	if (a.StartString == "") != (a.EndString == "") {
		return fmt.Errorf("variable_start_string and variable_end_string belong together")
	}
	return files.CheckValidate(a.Validate)
}

// Module returns the module template.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "template",
		Short: "Renders a template and puts the result on the host",
		Doc: "The template sees the task's variables and template_path, template_fullpath, template_host and template_uid. " +
			"mode: preserve takes the mode of the template.\n\n" + files.LeftOut +
			" Also block_start_string, block_end_string, comment_start_string, comment_end_string, lstrip_blocks and trim_blocks " +
			"(Jinja's; templates here are Go's, which trim with {{- and -}}), output_encoding (results are UTF-8), and the variables " +
			"template_run_date, template_mtime, template_destpath and ansible_managed.",
		Returns: append([]modules.Return{
			{Name: "dest", Type: "string", Doc: "The file that was written."},
			{Name: "src", Type: "string", Doc: "The template, as given."},
			{Name: "checksum", Type: "string", Doc: "SHA-1 of the file in hex."},
			{Name: "md5sum", Type: "string", Doc: "MD5 of the file in hex."},
			{Name: "backup_file", Type: "string", Doc: "Where the old file was kept, when backup asked for it."},
		}, files.AttrReturns...),
		Examples: `- template:
    src: nginx.conf
    dest: /etc/nginx/nginx.conf
    validate: nginx -t -c %s
`,
	}, build, modules.Prepare(prepare))
}

// prepare renders, and offers the result to the host.
func prepare(ctx context.Context, ctl modules.Controller, a *args) error {
	found, err := ctl.Find("templates", a.Src)
	if err != nil {
		return err
	}
	fi, err := os.Stat(found)
	if err != nil {
		return err
	}
	out, err := ctl.Render(ctx, found, modules.RenderOptions{
		Extra: about(a.Src, found), LeftDelim: a.StartString, RightDelim: a.EndString,
	})
	if err != nil {
		return err
	}
	if end := lineEnds[a.Newline]; end != "\n" {
		out = bytes.ReplaceAll(out, []byte("\n"), []byte(end))
	}
	b := ctl.BlobBytes(out)
	a.Items = []files.Item{{Type: string(host.File), SHA256: b.SHA256, Size: b.Size, Mode: int(fi.Mode().Perm())}}
	a.Name = filepath.Base(found)
	return nil
}

// about are the variables that tell a template of itself.
func about(src, found string) map[string]any {
	full, err := filepath.Abs(found)
	if err != nil {
		full = found
	}
	name, _ := os.Hostname()
	owner := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		owner = u.Username
	}
	return map[string]any{
		"template_path": src, "template_fullpath": full, "template_host": name, "template_uid": owner,
	}
}

func build(env modules.Env, a *args) (modules.Action, error) {
	return modules.Managed(&files.Copying{
		Env: env, Dest: a.Dest, Name: a.Name, Items: a.Items, Src: a.Src,
		Attrs: a.Attrs, Force: a.Force, Follow: a.Follow,
		Replacing: files.Replacing{Backup: a.Backup, Validate: a.Validate, TempDir: env.TempDir},
		Open: func(ctx context.Context, _ host.Reader, it files.Item) (io.ReadCloser, error) {
			return env.Blobs.Open(ctx, it.Blob())
		},
	}), nil
}
