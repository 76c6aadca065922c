package lab

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CacheEnv names the directory that holds base systems, downloaded packages
// and the disks of running labs. Unset: /var/cache/foobar-play-lab.
const CacheEnv = "FOOBAR_PLAY_LAB_CACHE"

// runDir holds one directory per running lab, whatever its cache directory.
const runDir = "/run/foobar-play-lab"

// cache is a directory tree that survives labs:
//
//	base/<suite>-<key>/   base systems, never written to once built
//	archives/<suite>/     downloaded packages
//	labs/<id>/<n>/        disks of host n of a running lab
type cache struct{ dir string }

func openCache() (cache, error) {
	dir, err := filepath.Abs(cmp.Or(os.Getenv(CacheEnv), "/var/cache/foobar-play-lab"))
	if err != nil {
		return cache{}, fmt.Errorf("locate the lab's cache: %w", err)
	}
	if strings.ContainsAny(dir, ":,\\ \t\n") {
		return cache{}, fmt.Errorf("use %q as the lab's cache: the path must be free of colons, commas, backslashes and spaces", dir)
	}
	c := cache{dir}
	for _, sub := range []string{c.bases(), c.labs()} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return cache{}, fmt.Errorf("create the lab's cache (choose another place with %s): %w", CacheEnv, err)
		}
	}
	return c, nil
}

func (c cache) bases() string                { return filepath.Join(c.dir, "base") }
func (c cache) labs() string                 { return filepath.Join(c.dir, "labs") }
func (c cache) archives(suite string) string { return filepath.Join(c.dir, "archives", suite) }

// mountsBelow lists what is mounted on path or below it, deepest first.
func mountsBelow(path string) ([]string, error) {
	mounts, err := readMounts()
	if err != nil {
		return nil, err
	}
	var below []string
	for _, m := range mounts {
		if m.point == path || strings.HasPrefix(m.point, path+"/") {
			below = append(below, m.point)
		}
	}
	slices.SortFunc(below, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return below, nil
}

// removeTree unmounts everything below path and then deletes it. It deletes
// nothing while a mount is left, since that could be another file system.
func removeTree(path string) error {
	below, err := mountsBelow(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, point := range below {
		errs = append(errs, unmount(point))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if left, err := mountsBelow(path); err != nil || len(left) > 0 {
		return errors.Join(err, fmt.Errorf("remove %s: %v is still mounted", path, left))
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}

// mountPoint is one line of /proc/self/mountinfo.
type mountPoint struct{ point, fstype, options string }

func readMounts() ([]mountPoint, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mount table: %w", err)
	}
	var mounts []mountPoint
	for line := range strings.Lines(string(data)) {
		mount, super, found := strings.Cut(line, " - ")
		fields, tail := strings.Fields(mount), strings.Fields(super)
		if !found || len(fields) < 5 || len(tail) < 3 {
			continue
		}
		point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		mounts = append(mounts, mountPoint{point: point, fstype: tail[0], options: tail[2]})
	}
	return mounts, nil
}

// writeAtomic replaces a file in one step.
func writeAtomic(path string, data []byte, mode os.FileMode) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(mode), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(temp.Name()))
	}
	return nil
}
