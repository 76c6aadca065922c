package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"
)

// place finds the physical path for something to be written at p. The parent
// must be a directory, or unknown.
func (s *Shadow) place(op, p string) (at string, parent FileInfo, err error) {
	if p = path.Clean(p); p == "/" {
		return "", parent, &fs.PathError{Op: op, Path: p, Err: syscall.EBUSY}
	}
	dir, parent, err := s.find(path.Dir(p), true)
	if _, unknown := IsUnknown(err); unknown {
		return path.Join(dir, path.Base(p)), FileInfo{}, nil
	}
	if err == nil && parent.Type != Directory {
		err = syscall.ENOTDIR
	}
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = syscall.ENOENT
		}
		return "", parent, &fs.PathError{Op: op, Path: p, Err: err}
	}
	return path.Join(dir, path.Base(p)), parent, nil
}

// fresh is the description of something new in a directory.
func (s *Shadow) fresh(at string, parent FileInfo, t FileType, mode uint32) FileInfo {
	now := time.Now()
	info := FileInfo{Path: at, Type: t, Mode: mode, UID: s.uid, GID: s.gid, ModTime: now, AccTime: now, ChgTime: now, Nlink: 1,
		Inode: uint64(s.tick()), Device: s.device}
	if parent.Mode&0o2000 != 0 {
		info.GID = parent.GID
		if t == Directory {
			info.Mode |= 0o2000
		}
	}
	return info
}

func (s *Shadow) tick() int {
	s.clock++
	return s.clock
}

// standing describes what a write would replace; ok is false when nothing is
// known to be there.
func (s *Shadow) standing(op, at string) (info FileInfo, ok bool, err error) {
	info, err = s.entry(at)
	if _, unknown := IsUnknown(err); unknown || errors.Is(err, fs.ErrNotExist) {
		return info, false, nil
	}
	if err != nil {
		return info, false, err
	}
	if info.Type == Directory {
		return info, true, &fs.PathError{Op: op, Path: at, Err: syscall.EISDIR}
	}
	return info, true, nil
}

// WriteFile pretends to write a file. Content whose reading fails with
// *UnknownError makes a file that is there and cannot be read.
func (s *Shadow) WriteFile(p string, from io.Reader, attrs Attrs) error {
	c, size, err := keep(from)
	if reason, unknown := IsUnknown(err); unknown {
		c, size, err = content{unknown: reason}, 0, nil
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", p, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, parent, err := s.place("write", p)
	if err != nil {
		return err
	}
	old, there, err := s.standing("write", at)
	if err != nil {
		return err
	}
	info := s.fresh(at, parent, File, 0o644)
	if there && old.Type == File {
		info.Mode, info.UID, info.GID = old.Mode, old.UID, old.GID
	}
	if attrs.Mode != nil {
		info.Mode = *attrs.Mode
	}
	if attrs.UID != nil {
		info.UID = *attrs.UID
	}
	if attrs.GID != nil {
		info.GID = *attrs.GID
	}
	if !attrs.ModTime.IsZero() {
		info.ModTime = attrs.ModTime
	}
	info.Size = size
	s.unlink(at)
	s.nodes[at] = &node{info: info, content: c, since: s.tick()}
	return nil
}

// Mkdir pretends to make a directory. Where it cannot be known whether one is
// there already, its entries stay unknown.
func (s *Shadow) Mkdir(p string, mode uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, parent, err := s.place("mkdir", p)
	if err != nil {
		return err
	}
	_, err = s.entry(at)
	since := s.tick()
	switch _, unknown := IsUnknown(err); {
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: p, Err: syscall.EEXIST}
	case unknown:
		since = 0
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	s.nodes[at] = &node{info: s.fresh(at, parent, Directory, mode), since: since}
	return nil
}

// Symlink pretends to make a symbolic link.
func (s *Shadow) Symlink(target, p string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, parent, err := s.place("symlink", p)
	if err != nil {
		return err
	}
	if _, _, err := s.standing("symlink", at); err != nil {
		return err
	}
	info := s.fresh(at, parent, Link, 0o777)
	info.Target, info.Size = target, int64(len(target))
	s.unlink(at)
	s.nodes[at] = &node{info: info, since: s.tick()}
	return nil
}

// Link pretends to make a hard link.
func (s *Shadow) Link(target, p string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, n, err := s.own("link", target)
	if err != nil {
		return err
	}
	if n.info.Type == Directory {
		return &fs.PathError{Op: "link", Path: target, Err: syscall.EPERM}
	}
	at, _, err := s.place("link", p)
	if err != nil {
		return err
	}
	if _, _, err := s.standing("link", at); err != nil {
		return err
	}
	if s.nodes[at] != n && from != at {
		s.unlink(at)
		n.info.Nlink++
		s.nodes[at] = n
	}
	return nil
}

// unlink takes one name off the pretended file at a physical path.
func (s *Shadow) unlink(at string) {
	if n := s.nodes[at]; n != nil && n.info.Nlink > 0 {
		n.info.Nlink--
	}
}

// own makes the thing at p pretended, so that it can be changed; a final link
// is not followed.
func (s *Shadow) own(op, p string) (string, *node, error) {
	at, info, err := s.find(p, false)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = &fs.PathError{Op: op, Path: p, Err: syscall.ENOENT}
		}
		return at, nil, err
	}
	if n := s.nodes[at]; n != nil {
		return at, n, nil
	}
	below, _ := s.below(at)
	n := &node{info: info}
	if info.Type == Directory {
		n.origin = below
	} else {
		n.content.below = below
	}
	s.nodes[at] = n
	return at, n, nil
}

// Chmod pretends to set the permission bits.
func (s *Shadow) Chmod(p string, mode uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, n, err := s.own("chmod", p)
	if err != nil {
		return err
	}
	if n.info.Type == Link {
		return &fs.PathError{Op: "chmod", Path: p, Err: errLinkMode}
	}
	n.info.Mode, n.info.ChgTime = mode, time.Now()
	return nil
}

// Chown pretends to set owner and group. As on a real host, the setuid and
// setgid bits of a file fall when they change.
func (s *Shadow) Chown(p string, uid, gid int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, n, err := s.own("chown", p)
	if err != nil {
		return err
	}
	if uid >= 0 {
		n.info.UID = uid
	}
	if gid >= 0 {
		n.info.GID = gid
	}
	if n.info.Type == File {
		if n.info.Mode &^= 0o4000; n.info.Mode&0o010 != 0 {
			n.info.Mode &^= 0o2000
		}
	}
	n.info.ChgTime = time.Now()
	return nil
}

// Chtimes pretends to set the times; it follows links.
func (s *Shadow) Chtimes(p string, atime, mtime time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _, err := s.find(p, true)
	if err != nil {
		return err
	}
	_, n, err := s.own("chtimes", at)
	if err != nil {
		return err
	}
	if !atime.IsZero() {
		n.info.AccTime = atime
	}
	if !mtime.IsZero() {
		n.info.ModTime = mtime
	}
	return nil
}

// Rename pretends to move a path with everything below it.
func (s *Shadow) Rename(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, n, err := s.own("rename", from)
	if err != nil {
		return err
	}
	at, _, err := s.place("rename", to)
	if err != nil {
		return err
	}
	if at == old && from != to {
		return nil
	}
	if strings.HasPrefix(at, old+"/") {
		return &fs.PathError{Op: "rename", Path: to, Err: syscall.EINVAL}
	}
	if err := s.replaceable(n, at, to); err != nil {
		return err
	}
	if at == old {
		return nil
	}
	s.drop(at)
	for q, child := range s.nodes {
		if rest, ok := strings.CutPrefix(q, old+"/"); ok {
			delete(s.nodes, q)
			s.nodes[at+"/"+rest] = child
		}
	}
	s.nodes[at] = n
	s.nodes[old] = &node{gone: true, since: s.tick()}
	return nil
}

// replaceable checks what stands at the destination of a rename: a directory
// is never replaced, and a file not by a directory.
func (s *Shadow) replaceable(n *node, at, to string) error {
	info, err := s.entry(at)
	if _, unknown := IsUnknown(err); unknown || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	switch {
	case err != nil:
		return err
	case info.Type == Directory:
		return &fs.PathError{Op: "rename", Path: to, Err: syscall.EEXIST}
	case n.info.Type == Directory:
		return &fs.PathError{Op: "rename", Path: to, Err: syscall.ENOTDIR}
	}
	return nil
}

// Remove pretends to delete a file, a link or a whole tree.
func (s *Shadow) Remove(p string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _, err := s.find(p, false)
	if _, unknown := IsUnknown(err); err != nil && !unknown {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	s.drop(at)
	s.nodes[at] = &node{gone: true, since: s.tick()}
	return nil
}

// drop forgets what is pretended at a physical path and below it.
func (s *Shadow) drop(at string) {
	s.unlink(at)
	for q := range s.nodes {
		if strings.HasPrefix(q, at+"/") {
			s.unlink(q)
			delete(s.nodes, q)
		}
	}
	delete(s.nodes, at)
}
