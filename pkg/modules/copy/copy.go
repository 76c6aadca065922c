// Package copy is the module copy: it puts a file, a tree of files or inline
// content on the host. On the controller it turns the source into a list of
// items whose content is named by hash; on the host internal/files compares
// and writes, asking only for the content that is missing there.
package copy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type args struct {
	Src           string           `arg:"src" doc:"The file or directory to copy: on the controller (searched in the role's files), or on the host with remote_src. A directory is copied itself; with a slash at its end, only what is in it."`
	Content       any              `arg:"content" doc:"The content itself, instead of src. A list or a map is written as JSON."`
	Dest          string           `arg:"dest,required" doc:"Where to, absolute or beginning with ~. With a slash at its end, or when it is a directory, the file gets its own name in it. When src is a directory, dest is one too."`
	DirectoryMode modules.FileMode `arg:"directory_mode" doc:"Permission bits of directories that are made; existing ones keep theirs."`
	Backup        bool             `arg:"backup" doc:"Keep a file that is replaced under a name with the time in it (backup_file)."`
	Validate      string           `arg:"validate" doc:"A command, without a shell, that is run on the new content before it replaces the file; %s stands for the file to look at. When it fails the file is left alone."`
	Force         bool             `arg:"force" default:"true" doc:"Replace a file that has other content. Without, an existing file is left as it is."`
	Follow        bool             `arg:"follow" doc:"When dest is a link, write to where it leads. Without, the link is replaced."`
	LocalFollow   bool             `arg:"local_follow" default:"true" doc:"Copy what links in a source directory lead to, not the links themselves."`
	RemoteSrc     bool             `arg:"remote_src" doc:"src is on the host."`
	Checksum      string           `arg:"checksum" doc:"SHA-1 that the source must have, in hex. Not for directories."`
	files.Attrs

	Prepared bool         `arg:"_prepared,internal"`
	Items    []files.Item `arg:"_items,internal"`
	Tree     bool         `arg:"_tree,internal"`
	Name     string       `arg:"_name,internal"`
}

// Check has the rules between options.
func (a *args) Check() error {
	switch {
	case a.Prepared:
		return nil
	case a.Src == "" && a.Content == nil:
		return errors.New("one of src and content is needed")
	case a.Src != "" && a.Content != nil:
		return errors.New("src and content exclude each other")
	case a.Content != nil && a.RemoteSrc:
		return errors.New("content and remote_src exclude each other")
	case a.Content != nil && a.Mode.IsPreserve():
		return errors.New("mode: preserve keeps the mode of src, which is not given")
	case a.Content != nil && strings.HasSuffix(a.Dest, "/"):
		return errors.New("with content, dest must name the file, not a directory")
	}
	return files.CheckValidate(a.Validate)
}

// Module returns the module copy.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "copy",
		Short: "Puts a file, a tree of files or inline content on the host",
		Doc: "Content crosses the connection only when the host lacks it. A file is replaced in one step, so that it is " +
			"always the old or the new one. Of a directory, files that are on the host only are left alone. " +
			"mode: preserve takes the mode of the source.\n\n" + files.LeftOut +
			" Also decrypt. A map or list as content becomes compact JSON with sorted keys.",
		Returns: append([]modules.Return{
			{Name: "dest", Type: "string", Doc: "The file that was written, or the directory."},
			{Name: "src", Type: "string", Doc: "The source, as given."},
			{Name: "checksum", Type: "string", Doc: "SHA-1 of the file in hex; not for directories."},
			{Name: "md5sum", Type: "string", Doc: "MD5 of the file in hex; not for directories."},
			{Name: "backup_file", Type: "string", Doc: "Where the old file was kept, when backup asked for it."},
		}, files.AttrReturns...),
		Examples: `- copy:
    src: app.conf
    dest: /etc/app.conf
    mode: "0640"
    group: app
- copy:
    content: "{{ .motd }}\n"
    dest: /etc/motd
`,
	}, build, modules.Prepare(prepare))
}

// prepare lists what is to be copied and offers its content to the host.
func prepare(_ context.Context, ctl modules.Controller, a *args) error {
	switch {
	case a.RemoteSrc:
		return nil
	case a.Content != nil:
		b := ctl.BlobBytes([]byte(value.Text(a.Content)))
		a.Items = []files.Item{{Type: string(host.File), SHA256: b.SHA256, Size: b.Size}}
	default:
		if err := a.list(ctl); err != nil {
			return err
		}
	}
	a.Content, a.Prepared = nil, true
	return nil
}

func (a *args) list(ctl modules.Controller) error {
	found, err := ctl.Find("files", strings.TrimRight(a.Src, "/"))
	if err != nil {
		return err
	}
	fi, err := os.Stat(found)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		if a.Checksum != "" {
			return fmt.Errorf("checksum is for a file, and %s is a directory", found)
		}
		prefix := filepath.Base(found)
		if strings.HasSuffix(a.Src, "/") {
			prefix = ""
		}
		a.Tree = true
		a.Items, err = files.TreeItems(ctl, found, prefix, a.LocalFollow)
		return err
	}
	it, err := files.FileItem(ctl, found)
	if err != nil {
		return err
	}
	a.Items, a.Name = []files.Item{it}, filepath.Base(found)
	if a.Checksum == "" {
		return nil
	}
	f, err := os.Open(found)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.verify(found, f)
}

// verify holds the source against the option checksum.
func (a *args) verify(name string, in io.Reader) error {
	sums, err := files.SumReader(in)
	if err != nil {
		return err
	}
	if !strings.EqualFold(sums.SHA1, a.Checksum) {
		return fmt.Errorf("%s has the checksum %s, not the expected %s", name, sums.SHA1, a.Checksum)
	}
	return nil
}

func build(env modules.Env, a *args) (modules.Action, error) {
	c := &files.Copying{
		Env: env, Dest: a.Dest, Name: a.Name, Tree: a.Tree, Items: a.Items, Src: a.Src,
		Attrs: a.Attrs, DirMode: a.DirectoryMode, Force: a.Force, Follow: a.Follow,
		Replacing: files.Replacing{Backup: a.Backup, Validate: a.Validate, TempDir: env.TempDir},
		Open: func(ctx context.Context, _ host.Reader, it files.Item) (io.ReadCloser, error) {
			return env.Blobs.Open(ctx, it.Blob())
		},
	}
	if a.RemoteSrc {
		a.fromHost(env, c)
	}
	return modules.Managed(c), nil
}

// fromHost makes it a copy within the host.
func (a *args) fromHost(env modules.Env, c *files.Copying) {
	var root, prefix string
	c.Name = path.Base(a.Src)
	c.Source = func(ctx context.Context, r host.Reader) ([]files.Item, bool, error) {
		src, err := files.Expand(ctx, env, r, a.Src)
		if err != nil {
			return nil, false, err
		}
		root = strings.TrimSuffix(src, "/")
		if prefix = path.Base(root); root != src {
			prefix = ""
		}
		items, tree, err := files.HostItems(r, root, prefix, a.LocalFollow)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, false, fmt.Errorf("the source %s is not on the host: %w", root, err)
		}
		if err != nil || tree || a.Checksum == "" {
			return items, tree, err
		}
		f, err := r.Open(root)
		if err != nil {
			return nil, false, err
		}
		defer f.Close()
		return items, tree, a.verify(root, f)
	}
	c.Open = func(_ context.Context, r host.Reader, it files.Item) (io.ReadCloser, error) {
		rel := it.Path
		if prefix != "" {
			rel = strings.TrimPrefix(rel, prefix)
		}
		return r.Open(path.Join(root, rel))
	}
}
