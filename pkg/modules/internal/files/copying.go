package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Copying is the Resource of the modules that put files on the host: a single
// file or a tree is one list of items. Directories that are there already keep
// their attributes.
type Copying struct {
	Env   modules.Env
	Dest  string
	Name  string // base name of the source, for a Dest that is a directory
	Tree  bool   // Dest is a directory to fill with Items
	Items []Item
	// Open gives a file's content.
	Open func(ctx context.Context, r host.Reader, it Item) (io.ReadCloser, error)
	// Source, when set, lists Items by reading the host (a copy within it).
	Source func(ctx context.Context, r host.Reader) (items []Item, tree bool, err error)

	Attrs   Attrs
	DirMode modules.FileMode
	Force   bool // replace a file with other content
	Follow  bool // write to where a link leads instead of replacing it
	Replacing
	Src string // for the return values

	replaced Replaced
	after    *Entry
	sums     Sums
}

// Tree is the state of all paths a copy is about.
type Tree struct {
	Dest  string // of the single file, or the directory that is filled
	Nodes []Node
	own   Ownership
}

// Node is one path of a Tree.
type Node struct {
	Path string
	Item Item
	Entry
	Sums Sums // of a file with the wanted size, all of a single file
	kept bool // there, and not to be replaced
	// old and new are the content as a diff shows it, when one was asked for.
	old, new string
}

// Current looks at every path.
func (c *Copying) Current(ctx context.Context, r host.Reader) (Tree, error) {
	if c.Source != nil {
		items, tree, err := c.Source(ctx, r)
		if err != nil {
			return Tree{}, err
		}
		c.Items, c.Tree = items, tree
	}
	own, err := c.Attrs.Ownership(ctx, r)
	if err != nil {
		return Tree{}, err
	}
	t := Tree{own: own}
	missing, err := c.locate(ctx, r, &t)
	if err != nil {
		return Tree{}, err
	}
	t.Nodes = c.nodes(t.Dest, missing)
	for i := range t.Nodes {
		if err := c.look(ctx, r, &t.Nodes[i]); err != nil {
			return Tree{}, err
		}
	}
	return t, nil
}

// locate finds where the copy goes, and which directories it needs.
func (c *Copying) locate(ctx context.Context, r host.Reader, t *Tree) (missing []string, err error) {
	dest, err := Expand(ctx, c.Env, r, c.Dest)
	if err != nil {
		return nil, err
	}
	bare := strings.TrimSuffix(dest, "/")
	isDir, err := IsDir(r, bare)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Tree:
		t.Dest = bare
		return MissingDirs(r, bare)
	case isDir || bare != dest:
		if c.Name == "" {
			return nil, fmt.Errorf("dest %s is a directory: name the file to write", dest)
		}
		t.Dest = path.Join(bare, c.Name)
		return MissingDirs(r, bare)
	}
	t.Dest = bare
	if there, err := host.Exists(r, bare); there || err != nil {
		return nil, err
	}
	parent, err := IsDir(r, path.Dir(bare))
	if err == nil && !parent {
		err = fmt.Errorf("the directory %s, to write %s in, does not exist", path.Dir(bare), path.Base(bare))
	}
	return nil, err
}

// MissingDirs lists the directories that are to be made for dir to be there,
// outermost first.
func MissingDirs(r host.Reader, dir string) ([]string, error) {
	if dir == "" || dir == "/" {
		return nil, nil
	}
	info, err := r.Stat(dir)
	switch {
	case err == nil && info.Type != host.Directory:
		return nil, fmt.Errorf("%s is a %s, and a directory is needed there", dir, info.Type)
	case err == nil:
		return nil, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	above, err := MissingDirs(r, path.Dir(dir))
	return append(above, dir), err
}

// nodes lists the paths of the copy, directories before what is in them.
func (c *Copying) nodes(dest string, missing []string) []Node {
	var out []Node
	for _, dir := range missing {
		out = append(out, Node{Path: dir, Item: Item{Type: string(host.Directory), Mode: NewDirMode}})
	}
	for _, it := range c.Items {
		out = append(out, Node{Path: path.Join(dest, it.Path), Item: it})
	}
	return out
}

// look fills a node with what is there.
func (c *Copying) look(ctx context.Context, r host.Reader, n *Node) (err error) {
	typ := host.FileType(n.Item.Type)
	if typ == host.File && c.Follow {
		if n.Path, err = Follow(r, n.Path); err != nil {
			return err
		}
	}
	if n.Entry, err = Look(ctx, r, n.Path); err != nil {
		return err
	}
	if typ == host.Directory && n.Type == host.Link {
		// A link to a directory will do.
		info, err := r.Stat(n.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && info.Type == host.Directory {
			n.Entry, err = EntryOf(ctx, r, info)
			return err
		}
	}
	if n.Type != "" && (n.Type == host.Directory) != (typ == host.Directory) {
		return fmt.Errorf("%s is a %s, and a %s is to be copied there", n.Path, n.Type, typ)
	}
	if typ != host.File {
		return nil
	}
	if n.kept = n.Type == host.File && !c.Force; n.Type == host.File && (n.Size == n.Item.Size || !c.Tree) {
		if n.Sums, _, err = Sum(r, n.Path); err != nil {
			return err
		}
	}
	if c.Env.Diff && n.Sums.SHA256 != n.Item.SHA256 {
		return c.texts(ctx, r, n)
	}
	return nil
}

// texts reads old and new content for a diff.
func (c *Copying) texts(ctx context.Context, r host.Reader, n *Node) (err error) {
	if n.old, err = DiffFile(r, n.Path, n.Entry); err != nil {
		return err
	}
	if n.Item.Size > diffLimit {
		n.new = fmt.Sprintf("(%d bytes, too large to show)\n", n.Item.Size)
		return nil
	}
	f, err := c.Open(ctx, r, n.Item)
	if err != nil {
		return fmt.Errorf("get the content for %s: %w", n.Path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	n.new = DiffText(b)
	return err
}

// Desired gives every path its content and attributes.
func (c *Copying) Desired(cur Tree) (Tree, error) {
	if cur.Nodes == nil { // a dry run could not look
		dest := c.Dest
		if !c.Tree && strings.HasSuffix(dest, "/") {
			dest = path.Join(dest, c.Name)
		}
		if !path.IsAbs(dest) || c.Source != nil && c.Items == nil {
			return cur, host.Unknownf("what is copied, or where to, is not known")
		}
		cur = Tree{Dest: path.Clean(dest), Nodes: c.nodes(dest, nil)}
		if c.Tree {
			cur.Nodes = c.nodes(dest, []string{dest})
		}
	}
	want := Tree{Dest: cur.Dest, own: cur.own, Nodes: make([]Node, len(cur.Nodes))}
	for i, n := range cur.Nodes {
		c.desire(&n, cur.own)
		want.Nodes[i] = n
	}
	return want, nil
}

func (c *Copying) desire(n *Node, own Ownership) {
	now := n.Entry
	switch typ := host.FileType(n.Item.Type); {
	case n.kept, typ == host.Directory && now.Type == host.Directory:
	case typ == host.Link:
		n.Entry = Attrs{}.Want(now, typ, own)
		n.Target = n.Item.Target
	default:
		attrs := c.Attrs
		if typ == host.Directory {
			attrs.Mode = c.DirMode
		}
		n.Entry = attrs.Want(now, typ, own)
		if attrs.Mode.IsPreserve() {
			n.Mode = uint32(n.Item.Mode)
		}
		if typ == host.File {
			n.Size, n.Sums.SHA256 = n.Item.Size, n.Item.SHA256
		}
	}
}

// Diff compares path by path.
func (c *Copying) Diff(cur, want Tree) []modules.Change {
	var out []modules.Change
	for i, w := range want.Nodes {
		n := Node{Path: w.Path, Item: w.Item}
		if i < len(cur.Nodes) {
			n = cur.Nodes[i]
		}
		about := ""
		if len(want.Nodes) > 1 {
			about = w.Path
		}
		out = append(out, Changes(n.Entry, w.Entry, about)...)
		if w.Type == host.Link && n.Target != w.Target {
			out = append(out, modules.Change{Field: "src", Before: textOrNil(n.Target), After: w.Target, Path: about})
		}
		if n.otherContent(w) {
			change := modules.Change{Field: "content", Path: w.Path}
			if c.Env.Diff {
				change.Before, change.After = w.old, w.new
			}
			out = append(out, change)
		}
	}
	return out
}

func (n Node) otherContent(want Node) bool {
	return want.Type == host.File && !want.kept && (n.Type != host.File || n.Sums.SHA256 != want.Item.SHA256)
}

// Apply makes directories, writes files and sets attributes, only where
// something differs.
func (c *Copying) Apply(ctx context.Context, w host.Writer, cur, want Tree) error {
	if want.Nodes == nil {
		return host.Unknownf("what is copied, or where to, is not known")
	}
	for i, n := range want.Nodes {
		old := Node{Path: n.Path}
		if i < len(cur.Nodes) {
			old = cur.Nodes[i]
		}
		if err := c.put(ctx, w, old, n); err != nil {
			return err
		}
	}
	if c.Tree || len(want.Nodes) == 0 {
		return nil
	}
	after, err := Look(ctx, w, want.Nodes[len(want.Nodes)-1].Path)
	c.after = &after
	return err
}

func (c *Copying) put(ctx context.Context, w host.Writer, old, n Node) error {
	switch {
	case n.Type == host.Directory:
		if info, err := w.Stat(n.Path); old.Type != "" || err == nil && info.Type == host.Directory {
			return nil
		}
		return MakeDir(w, n.Path, n.Entry)
	case n.Type == host.Link:
		if old.Type != host.Link || old.Target != n.Target {
			if err := w.Symlink(n.Target, n.Path); err != nil {
				return err
			}
			old = Node{Entry: Entry{UID: -1, GID: -1}}
		}
		return Dress(w, n.Path, old.Entry, n.Entry)
	case !old.otherContent(n):
		return Dress(w, n.Path, old.Entry, n.Entry)
	}
	open := func() (io.ReadCloser, error) {
		in, err := c.Open(ctx, w, n.Item)
		if err != nil {
			return nil, fmt.Errorf("get the content for %s: %w", n.Path, err)
		}
		return &summed{ReadCloser: in, s: newSummer(), done: func(s Sums) { c.sums = s }}, nil
	}
	done, err := Replace(ctx, w, n.Path, old.Entry, n.Entry, open, c.Replacing)
	c.replaced.Warnings = append(c.replaced.Warnings, done.Warnings...)
	if done.Backup != "" {
		c.replaced.Backup = done.Backup
	}
	return err
}

// summed hashes what is read.
type summed struct {
	io.ReadCloser
	s    summer
	done func(Sums)
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	_, _ = s.s.Write(p[:n])
	return n, err
}

func (s *summed) Close() error {
	s.done(s.s.sums())
	return s.ReadCloser.Close()
}

// Values are the return values of Ansible's copy.
func (c *Copying) Values(cur, want Tree, changed bool) map[string]any {
	v := map[string]any{"dest": want.Dest}
	if c.Src != "" {
		v["src"] = c.Src
	}
	if c.replaced.Backup != "" {
		v["backup_file"] = c.replaced.Backup
	}
	if c.Tree || len(want.Nodes) == 0 {
		return v
	}
	n := want.Nodes[len(want.Nodes)-1]
	v["dest"] = n.Path
	entry, sums := n.Entry, c.sums
	if c.after != nil {
		entry = *c.after
	}
	if sums.SHA1 == "" && len(cur.Nodes) > 0 {
		if old := cur.Nodes[len(cur.Nodes)-1]; !old.otherContent(n) {
			sums = old.Sums
		}
	}
	if sums.SHA1 != "" {
		v["checksum"], v["md5sum"] = sums.SHA1, sums.MD5
	}
	maps.Copy(v, entry.Values())
	if n.kept {
		v["msg"] = "file already exists"
	}
	return v
}

// Warnings are those of the writes.
func (c *Copying) Warnings() []string { return c.replaced.Warnings }
