package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// link is the Resource of a symbolic link.
type link struct {
	env   modules.Env
	args  *args
	after *files.Entry
}

// arrow is a link and what it leads to.
type arrow struct {
	Path string
	files.Entry
	Src string // wanted target, as written
	// Follow is the path the attributes go to, and Aim what is there; "" when
	// they go to the link.
	Follow string
	Aim    files.Entry
	own    files.Ownership
}

// Current looks at the link, its place and its target.
func (l *link) Current(ctx context.Context, r host.Reader) (arrow, error) {
	at, err := files.Expand(ctx, l.env, r, l.args.Path)
	if err != nil {
		return arrow{}, err
	}
	a := arrow{Path: bare(at)}
	if a.Entry, err = files.Look(ctx, r, a.Path); err != nil {
		return a, err
	}
	if a.own, err = l.args.Ownership(ctx, r); err != nil {
		return a, err
	}
	if err := replaceable(r, a.Path, a.Entry, l.args.Force); err != nil {
		return a, err
	}
	return a, l.aim(ctx, r, &a)
}

// replaceable checks that a link may take the place of what is there.
func replaceable(r host.Reader, p string, now files.Entry, force bool) error {
	switch {
	case now.Type == "", now.Type == host.Link:
		return nil
	case !force:
		return fmt.Errorf("%s is a %s: force=true would replace it by the link", p, now.Type)
	case now.Type != host.Directory:
		return nil
	}
	list, err := r.ReadDir(p)
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("the directory %s is not empty, it is not replaced by a link", p)
	}
	return err
}

// aim finds what the link is to lead to.
func (l *link) aim(ctx context.Context, r host.Reader, a *arrow) (err error) {
	if a.Src = l.args.Src; a.Src == "" {
		if a.Type != host.Link {
			return errors.New("src is needed: there is no link yet")
		}
		a.Src = a.Target
	}
	if a.Src[0] == '~' {
		if a.Src, err = files.Expand(ctx, l.env, r, a.Src); err != nil {
			return err
		}
	}
	target := a.Src
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(a.Path), target)
	}
	info, err := r.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && (l.args.Force || l.args.Src == ""):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s, which the link is to lead to, does not exist: force=true would make the link all the same", target)
	case err != nil || !l.args.Follow:
		return err
	}
	if a.Follow, err = files.Follow(r, target); err != nil {
		return err
	}
	info.Path = a.Follow
	a.Aim, err = files.EntryOf(ctx, r, info)
	return err
}

// Desired is the link, with the attributes on it or on its target.
func (l *link) Desired(cur arrow) (arrow, error) {
	want := cur
	if cur.Path == "" {
		if !path.IsAbs(l.args.Path) || l.args.Src == "" || l.args.Src[0] == '~' {
			return cur, host.Unknownf("where the link %s leads", l.args.Path)
		}
		want.Path, want.Src = path.Clean(l.args.Path), l.args.Src
	}
	attrs := files.Attrs{Owner: l.args.Owner, Group: l.args.Group}
	own := cur.own
	if want.Follow != "" {
		want.Aim = l.args.Want(cur.Aim, cur.Aim.Type, cur.own)
		own = files.Ownership{}
	}
	want.Entry = attrs.Want(cur.Entry, host.Link, own)
	want.Target = want.Src
	return want, nil
}

// Diff compares link and target.
func (l *link) Diff(cur, want arrow) []modules.Change {
	out := files.Changes(cur.Entry, want.Entry, "")
	if cur.Target != want.Target || cur.Type != want.Type {
		c := modules.Change{Field: "src", After: want.Target}
		if cur.Type == host.Link {
			c.Before = cur.Target
		}
		out = append(out, c)
	}
	if want.Follow != "" {
		out = append(out, files.Changes(cur.Aim, want.Aim, want.Follow)...)
	}
	return out
}

// Apply makes the link and sets the attributes.
func (l *link) Apply(ctx context.Context, w host.Writer, cur, want arrow) error {
	if want.Path == "" {
		return host.Unknownf("where the link %s leads", l.args.Path)
	}
	if cur.Type != host.Link || cur.Target != want.Target {
		if cur.Type == host.Directory {
			if err := w.Remove(want.Path); err != nil {
				return err
			}
		}
		if err := w.Symlink(want.Target, want.Path); err != nil {
			return fmt.Errorf("make the link %s: %w", want.Path, err)
		}
		cur.UID, cur.GID = -1, -1
	}
	if err := files.Dress(w, want.Path, cur.Entry, want.Entry); err != nil {
		return err
	}
	if want.Follow != "" {
		if err := files.Dress(w, want.Follow, cur.Aim, want.Aim); err != nil {
			return err
		}
	}
	after, err := files.Look(ctx, w, want.Path)
	l.after = &after
	return err
}

// Values are the return values of Ansible's file for links.
func (l *link) Values(_, want arrow, _ bool) map[string]any {
	v := map[string]any{"dest": want.Path, "src": want.Src}
	e := want.Entry
	if l.after != nil {
		e = *l.after
	}
	maps.Copy(v, e.Values())
	return v
}

// hard is the Resource of a hard link.
type hard struct {
	env   modules.Env
	args  *args
	after *files.Entry
}

// pair is a path and whether it is the same file as src.
type pair struct {
	Path, Src string
	files.Entry
	Same bool
	src  files.Entry
	own  files.Ownership
}

// Current looks at both paths.
func (h *hard) Current(ctx context.Context, r host.Reader) (pair, error) {
	p, err := files.Expand(ctx, h.env, r, h.args.Path)
	if err != nil {
		return pair{}, err
	}
	src, err := files.Expand(ctx, h.env, r, h.args.Src)
	if err != nil {
		return pair{}, err
	}
	c := pair{Path: bare(p), Src: src}
	to, err := r.Lstat(src)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("%s, which is to get another name, does not exist", src)
	}
	if err != nil {
		return c, err
	}
	if c.src, err = files.EntryOf(ctx, r, to); err != nil {
		return c, err
	}
	if c.own, err = h.args.Ownership(ctx, r); err != nil {
		return c, err
	}
	now, err := r.Lstat(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if c.Entry, err = files.EntryOf(ctx, r, now); err != nil {
		return c, err
	}
	c.Same = now.Inode == to.Inode && now.Device == to.Device && now.Inode != 0
	if c.Same {
		return c, nil
	}
	if now.Type == host.Link && !h.args.Force {
		return c, fmt.Errorf("%s is a link: force=true would replace it", c.Path)
	}
	return c, replaceable(r, c.Path, c.Entry, h.args.Force)
}

// Desired is the same file, with the attributes.
func (h *hard) Desired(cur pair) (pair, error) {
	if cur.Path == "" {
		return cur, host.Unknownf("what is at %s and %s", h.args.Path, h.args.Src)
	}
	want := cur
	want.Same = true
	want.Entry = h.args.Want(cur.src, cur.src.Type, cur.own)
	return want, nil
}

// Diff compares identity and attributes.
func (h *hard) Diff(cur, want pair) []modules.Change {
	var out []modules.Change
	if !cur.Same {
		before := any(files.StateOf(cur.Entry))
		out = append(out, modules.Change{Field: "state", Before: before, After: "hard"})
	}
	return append(out, files.Changes(cur.src, want.Entry, "")...)
}

// Apply links, and sets the attributes.
func (h *hard) Apply(ctx context.Context, w host.Writer, cur, want pair) error {
	if want.Path == "" {
		return host.Unknownf("what is at %s and %s", h.args.Path, h.args.Src)
	}
	if !cur.Same {
		if cur.Type == host.Directory {
			if err := w.Remove(want.Path); err != nil {
				return err
			}
		}
		if err := w.Link(want.Src, want.Path); err != nil {
			return fmt.Errorf("make the hard link %s: %w", want.Path, err)
		}
	}
	if err := files.Dress(w, want.Path, cur.src, want.Entry); err != nil {
		return err
	}
	after, err := files.Look(ctx, w, want.Path)
	h.after = &after
	return err
}

// Values are the return values of Ansible's file for hard links.
func (h *hard) Values(_, want pair, _ bool) map[string]any {
	v := map[string]any{}
	e := want.Entry
	if h.after != nil {
		e = *h.after
	}
	maps.Copy(v, e.Values())
	v["dest"], v["src"], v["state"] = want.Path, want.Src, "hard"
	return v
}
