package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Item is one thing to copy, as it travels to the host: content goes by its
// hash.
type Item struct {
	// Path is relative to the destination, "" for a single file.
	Path   string `arg:"path"`
	Type   string `arg:"type"` // file, directory or link
	SHA256 string `arg:"sha256"`
	Size   int64  `arg:"size"`
	Mode   int    `arg:"mode"` // permission bits of the source
	Target string `arg:"target"`
}

// Blob names the content of a file.
func (it Item) Blob() host.Blob { return host.Blob{SHA256: it.SHA256, Size: it.Size} }

// FileItem offers a file of the controller and describes it as a single item.
func FileItem(ctl modules.Controller, p string) (Item, error) {
	fi, err := os.Stat(p)
	if err != nil {
		return Item{}, err
	}
	if !fi.Mode().IsRegular() {
		return Item{}, fmt.Errorf("%s is neither a file nor a directory", p)
	}
	b, err := ctl.BlobFile(p)
	return Item{Type: string(host.File), SHA256: b.SHA256, Size: b.Size, Mode: int(permissions(fi))}, err
}

// permissions are the mode bits of a file of the controller.
func permissions(fi fs.FileInfo) uint32 {
	m := fi.Mode()
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// TreeItems offers all files below a directory of the controller; prefix is
// the path the directory itself gets. With follow, links are what they lead
// to; otherwise they stay links.
func TreeItems(ctl modules.Controller, root, prefix string, follow bool) ([]Item, error) {
	w := treeWalk{ctl: ctl, follow: follow}
	if err := w.dir(root, prefix); err != nil {
		return nil, fmt.Errorf("copy the directory %s: %w", root, err)
	}
	return w.items, nil
}

type treeWalk struct {
	ctl    modules.Controller
	follow bool
	items  []Item
	above  []string // real paths of the directories being walked
}

func (w *treeWalk) dir(p, rel string) error {
	actual, err := filepath.EvalSymlinks(p)
	if err != nil {
		return err
	}
	if slices.Contains(w.above, actual) {
		return fmt.Errorf("%s leads back to a directory above it", p)
	}
	w.above = append(w.above, actual)
	defer func() { w.above = w.above[:len(w.above)-1] }()
	fi, err := os.Stat(p)
	if err != nil {
		return err
	}
	if rel != "" {
		w.items = append(w.items, Item{Path: rel, Type: string(host.Directory), Mode: int(permissions(fi))})
	}
	entries, err := os.ReadDir(p)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.entry(filepath.Join(p, e.Name()), path.Join(rel, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (w *treeWalk) entry(p, rel string) error {
	look := os.Lstat
	if w.follow {
		look = os.Stat
	}
	fi, err := look(p)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is a link that leads nowhere (local_follow: false would copy the link itself)", p)
	}
	switch {
	case err != nil:
		return err
	case fi.IsDir():
		return w.dir(p, rel)
	case fi.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(p)
		w.items = append(w.items, Item{Path: rel, Type: string(host.Link), Target: target})
		return err
	}
	it, err := FileItem(w.ctl, p)
	it.Path = rel
	w.items = append(w.items, it)
	return err
}

// HostItems describes what is at p on the host, for a copy within it. tree
// tells whether it is a directory; prefix is the path it gets.
func HostItems(r host.Reader, p, prefix string, follow bool) (items []Item, tree bool, err error) {
	info, err := r.Stat(p)
	if err != nil {
		return nil, false, err
	}
	w := hostWalk{r: r, follow: follow}
	if info.Type == host.Directory {
		err = w.dir(p, prefix, info, 0)
		return w.items, true, err
	}
	err = w.file(p, "", info)
	return w.items, false, err
}

type hostWalk struct {
	r      host.Reader
	follow bool
	items  []Item
}

// maxDepth stops a walk that links lead in circles.
const maxDepth = 64

func (w *hostWalk) dir(p, rel string, info host.FileInfo, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is more than %d directories deep: do links lead in circles?", p, maxDepth)
	}
	if rel != "" {
		w.items = append(w.items, Item{Path: rel, Type: string(host.Directory), Mode: int(info.Mode)})
	}
	list, err := w.r.ReadDir(p)
	if err != nil {
		return err
	}
	for _, e := range list {
		rel := path.Join(rel, path.Base(e.Path))
		if e.Type == host.Link && w.follow {
			if e, err = w.r.Stat(e.Path); err != nil {
				return err
			}
		}
		switch at := path.Join(p, path.Base(rel)); e.Type {
		case host.Directory:
			err = w.dir(at, rel, e, depth+1)
		case host.Link:
			w.items = append(w.items, Item{Path: rel, Type: string(host.Link), Target: e.Target})
		default:
			err = w.file(at, rel, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *hostWalk) file(p, rel string, info host.FileInfo) error {
	if info.Type != host.File {
		return fmt.Errorf("%s is neither a file nor a directory", p)
	}
	b, err := host.Digest(w.r, p)
	w.items = append(w.items, Item{Path: rel, Type: string(host.File), SHA256: b.SHA256, Size: b.Size, Mode: int(info.Mode)})
	return err
}
