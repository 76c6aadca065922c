package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Real is the machine this process runs on. Make it with NewReal; it is safe
// for concurrent use.
//
// Attributes beyond mode, owner and group (ACLs, extended attributes) are not
// carried over when a file is replaced.
type Real struct {
	mu     sync.Mutex
	groups map[int]struct{} // running process groups, by leader
	closed bool             // no new command starts
}

var _ Writer = (*Real)(nil)

// NewReal returns this machine.
func NewReal() *Real { return &Real{groups: map[int]struct{}{}} }

// Identity gives the numbers of the user and group that own what Real creates.
func (*Real) Identity() (uid, gid int) { return os.Geteuid(), os.Getegid() }

// Lstat describes a path without following a final link.
func (*Real) Lstat(path string) (FileInfo, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return FileInfo{}, notThere(err)
	}
	info := describe(path, fi)
	if info.Type == Link {
		if info.Target, err = os.Readlink(path); err != nil {
			return FileInfo{}, notThere(err)
		}
	}
	return info, nil
}

// Stat describes what a path leads to.
func (*Real) Stat(path string) (FileInfo, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return FileInfo{}, notThere(err)
	}
	return describe(path, fi), nil
}

// notThere makes "a parent is no directory" match fs.ErrNotExist: nothing can
// be at such a path.
func notThere(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w (%w)", err, fs.ErrNotExist)
	}
	return err
}

// Open reads a regular file; anything else (a pipe would block) is an error.
func (*Real) Open(path string) (io.ReadCloser, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, notThere(err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadDir lists a directory, sorted by name; what vanishes meanwhile is left
// out.
func (r *Real) ReadDir(path string) ([]FileInfo, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	out := make([]FileInfo, 0, len(entries))
	for _, e := range entries {
		info, err := r.Lstat(filepath.Join(path, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

// Noted has nothing to tell on a real host.
func (*Real) Noted(kind, name string) (any, bool) { return nil, false }

// Note does nothing on a real host.
func (*Real) Note(kind, name string, v any) {}

func describe(path string, fi fs.FileInfo) FileInfo {
	m := fi.Mode()
	info := FileInfo{Path: path, Mode: modeBits(m), Size: fi.Size(), ModTime: fi.ModTime(), UID: -1, GID: -1, Nlink: 1}
	switch {
	case m.IsRegular():
		info.Type = File
	case m.IsDir():
		info.Type = Directory
	case m&fs.ModeSymlink != 0:
		info.Type = Link
	default:
		info.Type, info.Special = Other, special(m)
	}
	describeSystem(&info, fi)
	return info
}

func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeCharDevice != 0:
		return "chr"
	case m&fs.ModeDevice != 0:
		return "blk"
	case m&fs.ModeNamedPipe != 0:
		return "fifo"
	case m&fs.ModeSocket != 0:
		return "sock"
	}
	return ""
}

// modeBits brings Go's file mode to the numbers people write.
func modeBits(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}

func fileMode(bits uint32) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	if bits&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if bits&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if bits&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// Chown sets owner and group; links are changed themselves.
func (*Real) Chown(path string, uid, gid int) error { return os.Lchown(path, uid, gid) }

// Chtimes sets the access and modification times; a zero time is left. It
// follows links.
func (*Real) Chtimes(path string, atime, mtime time.Time) error {
	return os.Chtimes(path, atime, mtime)
}
