package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cgroupTop is the group that holds one group per host, so that the systemds
// of several hosts never share one.
const cgroupTop = "foobar-play-lab"

// cgroupRoots are the mounts that systemd in a host keeps its units in:
// cgroup2 and, on machines with both versions, the systemd hierarchy of v1.
func cgroupRoots() ([]string, error) {
	mounts, err := readMounts()
	if err != nil {
		return nil, err
	}
	var v2, v1 string
	for _, m := range mounts {
		switch {
		case m.fstype == "cgroup2" && v2 == "":
			v2 = m.point
		case m.fstype == "cgroup" && v1 == "" && slices.Contains(strings.Split(m.options, ","), "name=systemd"):
			v1 = m.point
		}
	}
	var roots []string
	for _, root := range []string{v2, v1} {
		if root != "" {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// makeCgroups prepares for a host's groups and returns their directories,
// which whoever starts the host creates.
func makeCgroups(name string) ([]string, error) {
	roots, err := cgroupRoots()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, root := range roots {
		top := filepath.Join(root, cgroupTop)
		if err := os.MkdirAll(top, 0o755); err != nil {
			return nil, fmt.Errorf("create the hosts' cgroup: %w", err)
		}
		passControllers(root)
		passControllers(top)
		dirs = append(dirs, filepath.Join(top, name))
	}
	return dirs, nil
}

// passControllers lets the groups below dir use what dir may use, as far as
// the machine allows; without it limits in units have no effect.
func passControllers(dir string) {
	controllers, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	for _, name := range strings.Fields(string(controllers)) {
		_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+name), 0)
	}
}

// removeCgroups removes a host's groups, whose processes must have ended, and
// the group above them once it is empty.
func removeCgroups(name string) error {
	roots, err := cgroupRoots()
	for _, root := range roots {
		top := filepath.Join(root, cgroupTop)
		var dirs []string
		_ = filepath.WalkDir(filepath.Join(top, name), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		slices.Reverse(dirs) // children first
		for _, dir := range dirs {
			if rmErr := os.Remove(dir); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
				err = errors.Join(err, fmt.Errorf("remove the host's cgroup: %w", rmErr))
			}
		}
		_ = os.Remove(top) // fails while other hosts run
	}
	return err
}
