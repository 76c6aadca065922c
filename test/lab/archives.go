package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Downloaded packages are shared by hard links: each host has an archives
// directory of its own, because apt locks it, holding links to the packages
// that any host has fetched before.

// seedArchives links the cached packages into a host's directory.
func seedArchives(cached, own string) error { return linkPackages(cached, own) }

// collectArchives links a host's new packages into the cache. Apt moves a
// package there only when it is complete and its checksum is right.
func collectArchives(own, cached string) error { return linkPackages(own, cached) }

func linkPackages(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("create the package directory: %w", err)
	}
	packages, err := filepath.Glob(filepath.Join(from, "*.deb"))
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	for _, path := range packages {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		err = os.Link(path, filepath.Join(to, filepath.Base(path)))
		if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("share a package: %w", err)
		}
	}
	return nil
}
