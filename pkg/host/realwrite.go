package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// TempPrefix begins the name of every temporary file that Real makes beside a
// destination. A run that was killed may leave one; it holds nothing needed.
const TempPrefix = ".foobar-play-"

var errLinkMode = errors.New("a symbolic link has no mode of its own")

func tempBeside(path string) string {
	return filepath.Join(filepath.Dir(path), TempPrefix+rand.Text()[:12]+".tmp")
}

// WriteFile replaces path by a rename, so that a killed run leaves the old
// file or the new one. When attrs leaves them nil, mode and owner of a regular
// file that stands there are kept; failing to keep the owner is an error.
func (r *Real) WriteFile(path string, content io.Reader, attrs Attrs) (err error) {
	attrs, err = r.kept(path, attrs)
	if err != nil {
		return err
	}
	tmp := tempBeside(path)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(tmp)
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err = io.Copy(f, content); err != nil {
		return err
	}
	if err = dress(f, attrs); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if !attrs.ModTime.IsZero() {
		if err = os.Chtimes(tmp, time.Time{}, attrs.ModTime); err != nil {
			return err
		}
	}
	if err = os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// kept fills what attrs leaves open from the file that stands at path.
func (r *Real) kept(path string, attrs Attrs) (Attrs, error) {
	old, err := r.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return attrs, err
	case old.Type == Directory:
		return attrs, &fs.PathError{Op: "write", Path: path, Err: syscall.EISDIR}
	case old.Type == File:
		if attrs.Mode == nil {
			attrs.Mode = &old.Mode
		}
		if attrs.UID == nil {
			attrs.UID = &old.UID
		}
		if attrs.GID == nil {
			attrs.GID = &old.GID
		}
	}
	if attrs.Mode == nil {
		mode := uint32(0o644)
		attrs.Mode = &mode
	}
	return attrs, nil
}

// dress sets owner before mode, because a change of owner clears setuid.
func dress(f *os.File, attrs Attrs) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	now := describe(f.Name(), fi)
	uid, gid := -1, -1
	if attrs.UID != nil && *attrs.UID != now.UID {
		uid = *attrs.UID
	}
	if attrs.GID != nil && *attrs.GID != now.GID {
		gid = *attrs.GID
	}
	if uid >= 0 || gid >= 0 {
		if err := f.Chown(uid, gid); err != nil {
			return fmt.Errorf("give it the owner %d:%d (-1: as it is): %w", uid, gid, err)
		}
	}
	return f.Chmod(fileMode(*attrs.Mode))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		// A directory that may be written but not read cannot be synced; one
		// reached through a link that was just moved is not found.
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// Mkdir makes one directory with exactly this mode, whatever the umask; the
// setgid bit that a parent hands down stays.
func (r *Real) Mkdir(path string, mode uint32) error {
	if err := os.Mkdir(path, fileMode(mode&0o777)); err != nil {
		return err
	}
	now, err := r.Lstat(path)
	if err != nil {
		return err
	}
	if want := mode | now.Mode&0o2000; now.Mode != want {
		return r.Chmod(path, want)
	}
	return nil
}

// Symlink makes path a symbolic link to target, atomically.
func (*Real) Symlink(target, path string) error {
	return viaTemp(path, func(tmp string) error { return os.Symlink(target, tmp) })
}

// Link makes path a hard link to target, atomically.
func (*Real) Link(target, path string) error {
	return viaTemp(path, func(tmp string) error { return os.Link(target, tmp) })
}

func viaTemp(path string, create func(tmp string) error) error {
	tmp := tempBeside(path)
	if err := create(tmp); err != nil {
		return err
	}
	// Renaming a link onto another link of the same file leaves both.
	defer os.Remove(tmp)
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Rename moves a path within its file system, replacing the destination.
func (*Real) Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// Remove deletes a file, a link or a whole tree; a missing path is fine.
func (*Real) Remove(path string) error {
	if err := os.RemoveAll(path); !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	return nil
}
