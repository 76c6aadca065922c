//go:build !linux

package host

import (
	"io/fs"
	"os"
)

const openFlags = 0

func describeSystem(*FileInfo, fs.FileInfo) {}

// Chmod sets the permission bits; a link is refused.
func (r *Real) Chmod(path string, mode uint32) error {
	info, err := r.Lstat(path)
	if err != nil {
		return err
	}
	if info.Type == Link {
		return &fs.PathError{Op: "chmod", Path: path, Err: errLinkMode}
	}
	return os.Chmod(path, fileMode(mode))
}
