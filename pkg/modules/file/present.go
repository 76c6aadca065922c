package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// present is the Resource of what is there, or is made: file, directory and
// touch.
type present struct {
	env     modules.Env
	args    *args
	times   times
	applied bool
	after   *files.Entry
}

// tree is one path, what must be made above it, and with recurse all below it.
type tree struct {
	Path  string
	Nodes []node
	Times stamps // of Path
	own   files.Ownership
}

type node struct {
	Path string
	Type host.FileType // wanted
	files.Entry
}

type stamps struct{ acc, mod time.Time }

// Current looks at the path.
func (p *present) Current(ctx context.Context, r host.Reader) (tree, error) {
	at, err := files.Expand(ctx, p.env, r, p.args.Path)
	if err != nil {
		return tree{}, err
	}
	if at = bare(at); p.args.Follow {
		if at, err = files.Follow(r, at); err != nil {
			return tree{}, err
		}
	}
	t := tree{Path: at}
	info, err := r.Lstat(at)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	t.Times = stamps{info.AccTime, info.ModTime}
	typ, err := p.wantedType(at, info)
	if err != nil {
		return t, err
	}
	if t.own, err = p.args.Ownership(ctx, r); err != nil {
		return t, err
	}
	if info.Type == "" {
		return t, p.toMake(r, &t, typ)
	}
	return t, p.add(ctx, r, &t, typ, info)
}

// wantedType says what is to be at the path, given what is there.
func (p *present) wantedType(at string, info host.FileInfo) (host.FileType, error) {
	switch state := p.args.State; {
	case state == "directory", state == "" && p.args.Recurse:
		if info.Type != "" && info.Type != host.Directory {
			return "", fmt.Errorf("%s is a %s, and a directory is wanted there", at, info.Type)
		}
		return host.Directory, nil
	case info.Type == "" && state == "touch":
		return host.File, nil
	case info.Type == "":
		return "", fmt.Errorf("%s is not there: state=touch makes a file, state=directory a directory, copy and template write content", at)
	case state == "file" && info.Type == host.Directory:
		return "", fmt.Errorf("%s is a directory, and a file is wanted there", at)
	}
	return info.Type, nil
}

func (p *present) toMake(r host.Reader, t *tree, typ host.FileType) error {
	if typ == host.File {
		dir := path.Dir(t.Path)
		if isDir, err := files.IsDir(r, dir); err != nil || !isDir {
			return errors.Join(err, fmt.Errorf("the directory %s, to make %s in, does not exist", dir, path.Base(t.Path)))
		}
		t.Nodes = []node{{Path: t.Path, Type: typ}}
		return nil
	}
	dirs, err := files.MissingDirs(r, t.Path)
	for _, d := range dirs {
		t.Nodes = append(t.Nodes, node{Path: d, Type: typ})
	}
	return err
}

// add appends what is at a path, with recurse all below it too.
func (p *present) add(ctx context.Context, r host.Reader, t *tree, typ host.FileType, info host.FileInfo) error {
	e, err := files.EntryOf(ctx, r, info)
	if err != nil {
		return err
	}
	t.Nodes = append(t.Nodes, node{info.Path, typ, e})
	if !p.args.Recurse || info.Type != host.Directory {
		return nil
	}
	list, err := r.ReadDir(info.Path)
	if err != nil {
		return err
	}
	for _, child := range list {
		if err := p.add(ctx, r, t, child.Type, child); err != nil {
			return err
		}
	}
	return nil
}

// Desired gives the attributes to every node.
func (p *present) Desired(cur tree) (tree, error) {
	if cur.Path == "" || len(cur.Nodes) == 0 {
		if p.args.State != "directory" && p.args.State != "touch" || !strings.HasPrefix(p.args.Path, "/") {
			return cur, host.Unknownf("what is at %s", p.args.Path)
		}
		typ := host.Directory
		if p.args.State == "touch" {
			typ = host.File
		}
		at := path.Clean(p.args.Path)
		cur = tree{Path: at, Nodes: []node{{Path: at, Type: typ}}}
	}
	want := cur
	want.Nodes = make([]node, len(cur.Nodes))
	for i, n := range cur.Nodes {
		n.Entry = p.args.Want(n.Entry, n.Type, cur.own)
		want.Nodes[i] = n
	}
	return want, nil
}

// Diff compares attributes and times.
func (p *present) Diff(cur, want tree) []modules.Change {
	var out []modules.Change
	for i, n := range want.Nodes {
		var old node
		if i < len(cur.Nodes) {
			old = cur.Nodes[i]
		}
		about := ""
		if len(want.Nodes) > 1 {
			about = n.Path
		}
		out = append(out, files.Changes(old.Entry, n.Entry, about)...)
	}
	if isNew := len(cur.Nodes) > 0 && cur.Nodes[len(cur.Nodes)-1].Entry.Type == ""; isNew && p.args.State == "touch" {
		return out
	}
	return append(out, p.times.changes(cur.Times, p.applied)...)
}

// Apply makes what is missing and sets what differs.
func (p *present) Apply(ctx context.Context, w host.Writer, cur, want tree) error {
	if want.Path == "" || len(want.Nodes) == 0 {
		return host.Unknownf("what is at %s", p.args.Path)
	}
	for i, n := range want.Nodes {
		var old node
		if i < len(cur.Nodes) {
			old = cur.Nodes[i]
		}
		if err := p.put(w, old, n); err != nil {
			return err
		}
	}
	acc, mod := p.times.at(time.Now())
	if !acc.IsZero() || !mod.IsZero() {
		if err := w.Chtimes(want.Path, acc, mod); err != nil {
			return fmt.Errorf("set the times of %s: %w", want.Path, err)
		}
	}
	p.applied = true
	after, err := files.Look(ctx, w, want.Path)
	p.after = &after
	return err
}

func (p *present) put(w host.Writer, old, n node) error {
	switch {
	case old.Entry.Type != "":
		return files.Dress(w, n.Path, old.Entry, n.Entry)
	case n.Type == host.Directory:
		if err := files.MakeParents(w, path.Dir(n.Path)); err != nil {
			return err
		}
		err := files.MakeDir(w, n.Path, n.Entry)
		if errors.Is(err, fs.ErrExist) { // somebody else made it just now
			return files.Dress(w, n.Path, files.Entry{UID: -1, GID: -1}, n.Entry)
		}
		return err
	}
	attrs := host.Attrs{Mode: &n.Mode}
	if n.UID >= 0 {
		attrs.UID = &n.UID
	}
	if n.GID >= 0 {
		attrs.GID = &n.GID
	}
	return w.WriteFile(n.Path, strings.NewReader(""), attrs)
}

// Values are the return values of Ansible's file.
func (p *present) Values(cur, want tree, _ bool) map[string]any {
	v := map[string]any{"path": want.Path}
	if p.args.State == "touch" {
		v["dest"] = want.Path
	}
	if p.after != nil {
		maps.Copy(v, p.after.Values())
		return v
	}
	for _, n := range want.Nodes {
		if n.Path == want.Path {
			maps.Copy(v, n.Values())
		}
	}
	return v
}
