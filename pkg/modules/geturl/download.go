package geturl

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// download is one task: Plan finds what is there and whether the server has
// another, Apply writes it.
type download struct {
	env  modules.Env
	args *args

	path string // of the file, directories resolved
	cur  files.Entry
	old  files.Sums // of what is there
	own  files.Ownership
	want checksum

	file   string // where the download lies, "" while there is none
	sums   files.Sums
	size   int64
	status int
	took   time.Duration
	msg    string
}

func newDownload(env modules.Env, a *args) *download { return &download{env: env, args: a} }

func (d *download) action() modules.Action { return modules.Custom(d.plan, d.apply, d.verify) }

func (d *download) plan(ctx context.Context, r host.Reader) (modules.Plan, error) {
	if err := d.look(ctx, r); err != nil {
		return modules.Plan{}, err
	}
	if err := d.compare(ctx, r); err != nil {
		return modules.Plan{}, err
	}
	changes := files.Changes(d.cur, d.wanted(), "")
	if d.differs() {
		c := modules.Change{Field: "content", Path: d.path}
		if err := d.texts(r, &c); err != nil {
			return modules.Plan{}, err
		}
		changes = append(changes, c)
	}
	p := modules.Plan{Changes: changes, Values: d.values(d.wanted())}
	p.Verdict.Kind = modules.NoChange
	if len(changes) > 0 {
		p.Verdict.Kind = modules.WillChange
	} else {
		d.clean()
	}
	return p, nil
}

// look finds the file, and what is there.
func (d *download) look(ctx context.Context, r host.Reader) error {
	dest, err := files.Expand(ctx, d.env, r, d.args.Dest)
	if err != nil {
		return err
	}
	d.path = strings.TrimSuffix(dest, "/")
	isDir, err := files.IsDir(r, d.path)
	if err != nil {
		return err
	}
	if isDir {
		d.path = path.Join(d.path, d.args.name())
	} else if d.path != dest {
		return fmt.Errorf("the directory %s does not exist", dest)
	}
	if d.path, err = files.Follow(r, d.path); err != nil {
		return err
	}
	if d.cur, err = files.Look(ctx, r, d.path); err != nil {
		return err
	}
	if d.own, err = d.args.Ownership(ctx, r); err != nil {
		return err
	}
	switch d.cur.Type {
	case host.File:
		d.old, _, err = files.Sum(r, d.path)
		return err
	case "":
		parent, err := files.IsDir(r, path.Dir(d.path))
		if err == nil && !parent {
			err = fmt.Errorf("the directory %s does not exist", path.Dir(d.path))
		}
		return err
	}
	return fmt.Errorf("%s is a %s, and a file is to be written there", d.path, d.cur.Type)
}

// compare finds out whether the server has other content than the file.
func (d *download) compare(ctx context.Context, r host.Reader) (err error) {
	if d.want, err = d.checksum(ctx); err != nil {
		return err
	}
	if d.cur.Type == "" {
		return nil
	}
	var since time.Time
	if !d.args.Force {
		has, err := d.passes(r)
		if err != nil {
			return err
		}
		if d.want.isSet() && has {
			d.msg = "file already exists"
			return nil
		}
		if !d.want.isSet() {
			info, err := r.Stat(d.path)
			if err != nil {
				return err
			}
			since = info.ModTime
		}
	}
	return d.fetch(ctx, since)
}

// passes reports whether the file has the wanted checksum.
func (d *download) passes(r host.Reader) (bool, error) {
	if !d.want.isSet() {
		return false, nil
	}
	sum, err := files.Checksum(r, d.path, d.want.algorithm)
	return sum == d.want.hex, err
}

// checksum is the wanted one, read from its URL when it has one.
func (d *download) checksum(ctx context.Context) (checksum, error) {
	c, err := parseChecksum(d.args.Checksum)
	if err != nil || c.url == "" {
		return c, err
	}
	ans, err := d.args.get(ctx, d.env, c.url, time.Time{})
	if err != nil {
		return c, fmt.Errorf("get the checksum: %w", err)
	}
	defer ans.end()
	list, err := io.ReadAll(io.LimitReader(ans, 16<<20))
	if err != nil {
		return c, fmt.Errorf("get the checksum: %w", err)
	}
	return c.lookup(string(list), d.args.name())
}

// fetch downloads into the agent's own directory and holds the result against
// the checksum. When nothing is newer than since, there is no file.
func (d *download) fetch(ctx context.Context, since time.Time) (err error) {
	start := time.Now()
	defer func() { d.took = time.Since(start) }()
	ans, err := d.args.get(ctx, d.env, d.args.URL, since)
	if err != nil {
		return err
	}
	defer ans.end()
	d.status, d.msg = ans.StatusCode, ans.Status
	if ans.StatusCode == http.StatusNotModified {
		return nil
	}
	f, err := os.CreateTemp(d.env.TempDir, "download-*")
	if err != nil {
		return fmt.Errorf("make a file to download to: %w", err)
	}
	d.file = f.Name()
	defer func() {
		f.Close()
		if err != nil {
			d.clean()
		}
	}()
	own := host.NewReal()
	if d.size, err = io.Copy(f, ans); err != nil {
		return d.args.failure(d.status, err.Error())
	}
	if d.sums, _, err = files.Sum(own, d.file); err != nil {
		return err
	}
	d.msg = fmt.Sprintf("OK (%d bytes)", d.size)
	if !d.want.isSet() {
		return nil
	}
	sum, err := files.Checksum(own, d.file, d.want.algorithm)
	if err == nil && sum != d.want.hex {
		return d.args.failure(d.status, fmt.Sprintf("what came has the %s %s, not the expected %s", d.want.algorithm, sum, d.want.hex))
	}
	return err
}

func (d *download) clean() {
	if d.file != "" {
		os.Remove(d.file)
		d.file = ""
	}
}

func (d *download) wanted() files.Entry { return d.args.Want(d.cur, host.File, d.own) }

// differs reports whether the content is to be replaced.
func (d *download) differs() bool {
	return d.cur.Type == "" || d.file != "" && d.sums.SHA256 != d.old.SHA256
}

// texts puts old and new content into a change when a diff was asked for.
func (d *download) texts(r host.Reader, c *modules.Change) (err error) {
	if !d.env.Diff || d.file == "" {
		return nil
	}
	if c.Before, err = files.DiffFile(r, d.path, d.cur); err != nil {
		return err
	}
	c.After, err = files.DiffFile(host.NewReal(), d.file, files.Entry{Type: host.File, Size: d.size})
	return err
}

func (d *download) apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	defer d.clean()
	out := modules.Outcome{Changed: true}
	if d.path == "" {
		return out, host.Unknownf("where the download goes")
	}
	if d.cur.Type == "" && host.Pretends(w) {
		host.NoteUnknownPath(w, d.path, "it is downloaded in the run")
		return out, nil
	}
	if d.cur.Type == "" {
		if err := d.fetch(ctx, time.Time{}); err != nil {
			return out, err
		}
	}
	backup := ""
	if d.differs() {
		open := func() (io.ReadCloser, error) { return os.Open(d.file) }
		done, err := files.Replace(ctx, w, d.path, d.cur, d.wanted(), open, files.Replacing{Backup: d.args.Backup})
		if err != nil {
			return out, err
		}
		backup = done.Backup
	} else if err := files.Dress(w, d.path, d.cur, d.wanted()); err != nil {
		return out, err
	}
	after, err := files.Look(ctx, w, d.path)
	out.Values = d.values(after)
	if backup != "" {
		out.Values["backup_file"] = backup
	}
	return out, err
}

// verify checks that the file holds what was downloaded.
func (d *download) verify(ctx context.Context, r host.Reader) ([]modules.Change, error) {
	now, err := files.Look(ctx, r, d.path)
	if err != nil {
		return nil, err
	}
	changes := files.Changes(now, d.args.Want(now, host.File, d.own), "")
	if d.sums.SHA256 == "" || now.Type != host.File {
		return changes, nil
	}
	b, err := host.Digest(r, d.path)
	if err == nil && b.SHA256 != d.sums.SHA256 {
		changes = append(changes, modules.Change{Field: "content", Before: b.SHA256, After: d.sums.SHA256, Path: d.path})
	}
	return changes, err
}

func (d *download) values(e files.Entry) map[string]any {
	v := map[string]any{"dest": d.path, "url": d.args.shownURL(), "msg": d.msg, "checksum_dest": nil}
	maps.Copy(v, e.Values())
	if d.old.SHA1 != "" {
		v["checksum_dest"] = d.old.SHA1
	}
	if d.sums.SHA1 != "" {
		v["checksum_src"], v["md5sum"] = d.sums.SHA1, d.sums.MD5
	}
	if d.status != 0 {
		v["status_code"], v["elapsed"] = d.status, int(d.took.Seconds())
	}
	return v
}
