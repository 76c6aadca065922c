// Package fetch is the module fetch: it stores a file of the host on the
// controller. The host's part hands the content over by its hash, and only
// when the controller does not have it yet; the controller's part (Finish)
// writes it.
package fetch

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
	Src           string `arg:"src,required" doc:"The file on the host, absolute or beginning with ~."`
	Dest          string `arg:"dest,required" doc:"A directory of the controller: the file goes to dest/HOST/SRC. With flat, the file itself, or with a slash at the end its directory. A relative path begins at the playbook's directory."`
	Flat          bool   `arg:"flat" doc:"Store it as dest, without host and path. Mind that several hosts then write one file."`
	FailOnMissing bool   `arg:"fail_on_missing" default:"true" doc:"Whether a file that is not there is a failure."`
	Validate      bool   `arg:"validate_checksum" default:"true" doc:"Accepted for Ansible's sake: what arrives is always held against its hash."`

	Have  string `arg:"_have,internal"` // SHA-256 of what the controller has
	Check bool   `arg:"_check,internal"`
}

// Module returns the module fetch.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "fetch",
		Short: "Stores a file of the host on the controller",
		Doc: "The content crosses the connection only when the controller has another. A new file is readable by its owner only, unless everybody " +
			"may read it on the host. In a dry run nothing is stored, but whether it would be is known.\n\nNothing is left out.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "dest", Type: "string", Doc: "Where it is stored on the controller."},
			{Name: "src", Type: "string", Doc: "The file on the host."},
			{Name: "file", Type: "string", Doc: "As src."},
			{Name: "checksum", Type: "string", Doc: "SHA-1 of the content in hex."},
			{Name: "remote_checksum", Type: "string", Doc: "As checksum."},
			{Name: "md5sum", Type: "string", Doc: "MD5 of the content in hex."},
			{Name: "remote_md5sum", Type: "string", Doc: "As md5sum."},
		},
		Examples: `- fetch:
    src: /etc/ssl/certs/ca.pem
    dest: fetched
`,
	}, build, modules.Prepare(prepare), modules.Finish(finish))
}

// dest gives the path on the controller, by the path on the host.
func (a *args) dest(ctl modules.Controller, src string) (string, error) {
	d := a.Dest
	if based, ok := ctl.(modules.Based); ok && !filepath.IsAbs(d) {
		d = filepath.Join(based.BaseDir(), d) + trailing(a.Dest)
	}
	if d, err := filepath.Abs(d); err != nil || !a.Flat {
		if strings.ContainsAny(ctl.Host(), `/\`) || ctl.Host() == ".." {
			return "", fmt.Errorf("the host's name %q cannot be a directory's", ctl.Host())
		}
		return filepath.Join(d, ctl.Host(), filepath.FromSlash(path.Clean("/"+src))), err
	}
	if trailing(d) != "" {
		d = filepath.Join(d, path.Base(src))
	}
	return filepath.Abs(d)
}

func trailing(p string) string {
	if strings.HasSuffix(p, "/") {
		return "/"
	}
	return ""
}

// prepare tells the host what the controller has.
func prepare(_ context.Context, ctl modules.Controller, a *args) error {
	a.Check = ctl.Check()
	if strings.HasPrefix(a.Src, "~") {
		return nil // only the host knows the path
	}
	dest, err := a.dest(ctl, a.Src)
	if err != nil {
		return err
	}
	b, err := host.Digest(host.NewReal(), dest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was fetched before: %w", err)
	}
	a.Have = b.SHA256
	return nil
}

// The host tells Finish by these return values, which Finish takes away.
const (
	sha256Value  = "_sha256"
	sizeValue    = "_size"
	privateValue = "_private"
)

func build(env modules.Env, a *args) (modules.Action, error) {
	return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
		v, err := a.hand(ctx, env, r)
		return modules.Outcome{Values: v}, err
	}), nil
}

// hand hands the file over, unless the controller has it.
func (a *args) hand(ctx context.Context, env modules.Env, r host.Reader) (map[string]any, error) {
	p, err := files.Expand(ctx, env, r, a.Src)
	if err != nil {
		return nil, err
	}
	info, err := r.Stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !a.FailOnMissing:
		return map[string]any{"file": p, "msg": "the remote file does not exist, not transferring, ignored"}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist (fail_on_missing: false would go on)", p)
	case err != nil:
		return nil, fmt.Errorf("look at %s: %w", p, err)
	case info.Type != host.File:
		return nil, fmt.Errorf("%s is a %s, and fetch brings files", p, info.Type)
	}
	sums, size, err := files.Sum(r, p)
	if err != nil {
		return nil, err
	}
	v := map[string]any{
		"src": p, "file": p, "checksum": sums.SHA1, "remote_checksum": sums.SHA1, "md5sum": sums.MD5, "remote_md5sum": sums.MD5,
		sha256Value: sums.SHA256, sizeValue: int(size), privateValue: info.Mode&0o004 == 0,
	}
	if sums.SHA256 == a.Have || a.Check {
		return v, nil
	}
	f, err := r.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := env.Blobs.Put(ctx, f)
	if err == nil && b.SHA256 != sums.SHA256 {
		err = fmt.Errorf("%s changed while it was read", p)
	}
	return v, err
}

// finish stores what the host handed over.
func finish(ctx context.Context, ctl modules.Controller, a *args, res *modules.Result) error {
	sha256, ok := res.Values[sha256Value].(string)
	if !ok {
		return nil
	}
	size, _ := value.Float(res.Values[sizeValue])
	private, _ := res.Values[privateValue].(bool)
	for _, k := range []string{sha256Value, sizeValue, privateValue} {
		delete(res.Values, k)
	}
	src, _ := res.Values["src"].(string)
	dest, err := a.dest(ctl, src)
	if err != nil {
		return err
	}
	res.Values["dest"] = dest
	had, err := host.Digest(host.NewReal(), dest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read what was fetched before: %w", err)
	}
	if had.SHA256 == sha256 {
		return nil
	}
	res.Changed = true
	change := modules.Change{Field: "checksum", Before: had.SHA256, After: sha256, Path: dest}
	if err != nil {
		change = modules.Change{Field: "state", Before: "absent", After: "file", Path: dest}
	}
	res.Changes = []modules.Change{change}
	if ctl.Check() {
		return nil
	}
	in, err := ctl.Blobs().Open(ctx, host.Blob{SHA256: sha256, Size: int64(size)})
	if err != nil {
		return err
	}
	defer in.Close()
	return store(dest, in, private)
}

func store(dest string, in io.Reader, private bool) error {
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return fmt.Errorf("store the fetched file: %w", err)
	}
	attrs := host.Attrs{}
	if _, err := os.Lstat(dest); errors.Is(err, fs.ErrNotExist) && private {
		mode := uint32(0o600)
		attrs.Mode = &mode
	}
	if err := host.NewReal().WriteFile(dest, in, attrs); err != nil {
		return fmt.Errorf("store the fetched file: %w", err)
	}
	return nil
}
