// Package stat is the module stat: what is at a path. It only reads.
package stat

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type args struct {
	Path        string `arg:"path,required,alias=dest|name" doc:"The path, absolute or beginning with ~."`
	Follow      bool   `arg:"follow" doc:"Describe what a link leads to, not the link."`
	GetChecksum bool   `arg:"get_checksum" default:"true" doc:"Hash a regular file's content."`
	Algorithm   string `arg:"checksum_algorithm,alias=checksum|checksum_algo" default:"sha1" choices:"md5,sha1,sha224,sha256,sha384,sha512" doc:"The hash to take."`
	GetMime     bool   `arg:"get_mime,alias=mime|mime_type|mime-type" doc:"Accepted for Ansible's sake and without effect: the content's type is not guessed."`
	GetAttrs    bool   `arg:"get_attributes,alias=attr|attributes" doc:"Accepted for Ansible's sake and without effect: attributes of chattr(1) are not read."`
}

// Module returns the module stat.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "stat",
		Short: "Tells what is at a path",
		Doc: "A path with nothing there is no failure: stat.exists is false then, and only then. A path that cannot be looked at is one.\n\n" +
			"Left out of the result: mimetype, charset, attributes, attr_flags, version, block_size, blocks and device_type; get_selinux_context.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "stat", Type: "map", Doc: "exists, and when it is true: path, mode (\"0644\"), isdir, isreg, islnk, ischr, isblk, isfifo, issock, " +
				"uid, gid, pw_name, gr_name, size (bytes), inode, dev, nlink, atime, mtime, ctime (seconds since 1970), " +
				"rusr … xoth, isuid, isgid, readable, writeable, executable, checksum (of regular files), and for links lnk_source (where it leads in the end) and lnk_target (as written)."},
		},
		Examples: `- stat:
    path: /etc/app.conf
  register: app
- fail:
    msg: app is not set up
  when: not .app.stat.exists
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
		v, err := a.stat(ctx, env, r)
		return modules.Outcome{Values: map[string]any{"stat": v}}, err
	}), nil
}

func (a *args) stat(ctx context.Context, env modules.Env, r host.Reader) (map[string]any, error) {
	p, err := files.Expand(ctx, env, r, a.Path)
	if err != nil {
		return nil, err
	}
	look := r.Lstat
	if a.Follow {
		look = r.Stat
	}
	info, err := look(p)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]any{"exists": false}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", p, err)
	}
	v, err := files.StatValues(ctx, r, info)
	if err != nil || !a.GetChecksum || info.Type != host.File {
		return v, err
	}
	sum, err := files.Checksum(r, p, a.Algorithm)
	if errors.Is(err, fs.ErrPermission) { // as Ansible: what may not be read has no checksum
		return v, nil
	}
	if reason, unknown := host.IsUnknown(err); unknown { // the file is there, its content is yet to be made
		v["checksum"], v["size"] = value.Unknown{Reason: reason}, value.Unknown{Reason: reason}
		return v, nil
	}
	v["checksum"] = sum
	return v, err
}
