package files

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Algorithms are the hashes a checksum may be made with, by Ansible's names.
var Algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224,
	"sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// Checksum hashes a file; the algorithm is one of Algorithms.
func Checksum(r host.Reader, p, algorithm string) (string, error) {
	newHash, ok := Algorithms[algorithm]
	if !ok {
		return "", fmt.Errorf("there is no checksum algorithm %q", algorithm)
	}
	f, err := r.Open(p)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := newHash()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", p, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// StatValues describes a path under the names of Ansible's stat. r is used for
// the names of owner and group, and for where a link leads.
func StatValues(ctx context.Context, r host.Reader, info host.FileInfo) (map[string]any, error) {
	e, err := EntryOf(ctx, r, info)
	if err != nil {
		return nil, err
	}
	is := func(bit uint32) bool { return info.Mode&bit != 0 }
	v := map[string]any{
		"exists": true, "path": info.Path, "mode": ModeText(info.Mode),
		"isdir": info.Type == host.Directory, "isreg": info.Type == host.File, "islnk": info.Type == host.Link,
		"ischr": info.Special == "chr", "isblk": info.Special == "blk", "isfifo": info.Special == "fifo", "issock": info.Special == "sock",
		"uid": info.UID, "gid": info.GID, "pw_name": e.Owner, "gr_name": e.Group,
		"size": int(info.Size), "inode": int(info.Inode), "dev": int(info.Device), "nlink": int(info.Nlink),
		"atime": seconds(info.AccTime), "mtime": seconds(info.ModTime), "ctime": seconds(info.ChgTime),
		"rusr": is(0o400), "wusr": is(0o200), "xusr": is(0o100),
		"rgrp": is(0o040), "wgrp": is(0o020), "xgrp": is(0o010),
		"roth": is(0o004), "woth": is(0o002), "xoth": is(0o001),
		"isuid": is(0o4000), "isgid": is(0o2000),
		"readable": may(info, 4), "writeable": may(info, 2), "executable": may(info, 1),
	}
	if info.Type != host.Link {
		return v, nil
	}
	v["lnk_target"] = info.Target
	source, err := Follow(r, info.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	v["lnk_source"] = path.Clean(source)
	return v, nil
}

// seconds are those since 1970, with fractions.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}

// may reports whether the mode lets the user the task runs as do it (4 read,
// 2 write, 1 execute).
func may(info host.FileInfo, bit uint32) bool {
	uid := os.Geteuid()
	groups, _ := os.Getgroups()
	switch {
	case uid == 0:
		return bit != 1 || info.Type == host.Directory || info.Mode&0o111 != 0
	case uid == info.UID:
		return info.Mode>>6&bit != 0
	case os.Getegid() == info.GID || slices.Contains(groups, info.GID):
		return info.Mode>>3&bit != 0
	}
	return info.Mode&bit != 0
}
