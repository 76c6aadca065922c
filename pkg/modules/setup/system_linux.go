package setup

import "golang.org/x/sys/unix"

func (native) space(dir string) (space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return space{}, err
	}
	block := int(s.Frsize)
	if block == 0 {
		block = int(s.Bsize)
	}
	return space{block: block, blocks: int(s.Blocks), free: int(s.Bfree), avail: int(s.Bavail),
		inodes: int(s.Files), inodesFree: int(s.Ffree)}, nil
}
