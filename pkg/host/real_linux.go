package host

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openFlags keep an Open of a pipe or a tty from blocking or adopting it.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

func describeSystem(info *FileInfo, fi fs.FileInfo) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	info.UID, info.GID = int(st.Uid), int(st.Gid)
	info.Inode, info.Device = st.Ino, st.Dev
	info.Nlink = uint64(st.Nlink) //nolint:unconvert // its size differs between architectures
	info.AccTime = time.Unix(st.Atim.Unix())
	info.ChgTime = time.Unix(st.Ctim.Unix())
}

// Chmod sets the permission bits; a link is refused, even one that is swapped
// in at this moment: the path is opened as itself and changed through the
// descriptor.
func (*Real) Chmod(path string, mode uint32) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return &fs.PathError{Op: "chmod", Path: path, Err: errLinkMode}
	}
	if err := os.Chmod("/proc/self/fd/"+strconv.Itoa(fd), fileMode(mode)); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: errors.Unwrap(err)}
	}
	return nil
}
