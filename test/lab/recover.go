package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// recoverLabs removes what killed processes left behind: abandoned labs, a
// detached lab of the wanted name none of whose hosts runs any more, and
// directories without a lab. The caller holds the labs' lock.
func recoverLabs(ctx context.Context, c cache, wanted string, log io.Writer) error {
	for _, r := range readRecords() {
		if r.abandoned() || wanted != "" && r.Name == wanted && r.Detached && !r.anyRunning() {
			fmt.Fprintf(log, "removing what is left of the lab %s\n", r.Name)
			if err := r.destroy(ctx); err != nil {
				return fmt.Errorf("remove the left-over lab %s: %w", r.Name, err)
			}
		}
	}
	unfinished, _ := filepath.Glob(filepath.Join(runDir, "*.new"))
	for _, dir := range unfinished {
		if err := removeTree(dir); err != nil {
			return err
		}
	}
	disks, _ := filepath.Glob(filepath.Join(c.labs(), "*"))
	for _, dir := range disks {
		if _, err := os.Stat(filepath.Join(runDir, filepath.Base(dir))); err == nil {
			continue
		}
		r := record{ID: filepath.Base(dir), Cache: c.dir}
		if err := errors.Join(r.kill(ctx), removeTree(dir)); err != nil {
			return fmt.Errorf("remove left-over disks: %w", err)
		}
	}
	return nil
}

// anyRunning says whether at least one host is up.
func (r record) anyRunning() bool {
	for n := range r.Hosts {
		if len(r.machine(n).processes()) > 0 {
			return true
		}
	}
	return false
}

// kill ends every process of every host at once.
func (r record) kill(ctx context.Context) error {
	entries, err := os.ReadDir(r.disks())
	if err != nil {
		return nil //nolint:nilerr // no disks, no hosts
	}
	return each(entries, func(entry os.DirEntry) error {
		name := r.ID + "-" + entry.Name()
		m := machine{name: name, dir: filepath.Join(r.disks(), entry.Name())}
		return errors.Join(m.kill(ctx), removeCgroups(name))
	})
}

// destroy removes everything a lab owns, whoever made it; what is gone
// already is no error. The caller holds the labs' lock. When something can't
// be removed the record stays, so that a later run tries again.
func (r record) destroy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := r.kill(ctx); err != nil {
		return err
	}
	var errs []error
	for n := range r.Hosts {
		errs = append(errs, collectArchives(filepath.Join(r.hostDir(n), "archives"), cache{r.Cache}.archives(r.Suite)))
		_ = os.Remove(filepath.Join("/run/systemd/nspawn/propagate", r.machine(n).name))
	}
	errs = append(errs, r.removeNetwork(ctx), removeTree(r.disks()))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return errors.Join(removeTree(r.dir()), restoreForwarding())
}
