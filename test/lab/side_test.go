package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLabsSideBySide(t *testing.T) {
	t.Parallel()
	Require(t)
	labs := make([]*Lab, 3)
	err := each([]int{0, 1, 2}, func(i int) (err error) {
		labs[i], err = Start(limited(t), Config{Hosts: []string{"web01", "web02"}})
		return err
	})
	t.Cleanup(func() {
		for _, l := range labs {
			if l != nil {
				_ = l.Close()
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if labs[0].Subnet() == labs[1].Subnet() || labs[1].Subnet() == labs[2].Subnet() {
		t.Errorf("labs share a network: %s %s %s", labs[0].Subnet(), labs[1].Subnet(), labs[2].Subnet())
	}
	if err := labs[0].Close(); err != nil {
		t.Fatal(err)
	}
	assertGone(t, labs[0].record)
	mustExec(t, labs[1].Host("web02"), "ping", "-c1", "-W5", labs[1].Host("web01").Addr)
	if err := labs[0].Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestDetachedLab(t *testing.T) {
	t.Parallel()
	Require(t)
	cfg := Config{Name: unique("detached"), Hosts: []string{"web01"}, Detached: true}
	first, err := Start(limited(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close() })
	if _, err := Start(limited(t), cfg); err == nil || !strings.Contains(err.Error(), "running") {
		t.Errorf("starting a second lab of that name: %v", err)
	}
	again, err := Open(cfg.Name)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, again.Host("web01"), "true")
	// With all its hosts dead, the next of that name takes its place.
	if err := again.Host("web01").Stop(limited(t)); err != nil {
		t.Fatal(err)
	}
	next, err := Start(limited(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	assertGone(t, first.record)
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(cfg.Name); !errors.Is(err, ErrNoLab) {
		t.Errorf("opening a closed lab: %v", err)
	}
}

func TestStartCancelledLeavesNothing(t *testing.T) {
	t.Parallel()
	Require(t)
	name := unique("cancelled")
	ctx, cancel := context.WithCancel(limited(t))
	go func() {
		// As soon as the lab exists.
		_ = until(ctx, "the lab exists", func() (bool, error) {
			_, ok := recordOf(name)
			return ok, nil
		})
		cancel()
	}()
	if _, err := Start(ctx, Config{Name: name}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with a cancelled context: %v", err)
	}
	if r, ok := recordOf(name); ok {
		t.Errorf("a record is left: %+v", r)
	}
}

// TestInstallEverywhereAtOnce: apt locks its package directory, so hosts that
// share downloads must not share the directory.
func TestInstallEverywhereAtOnce(t *testing.T) {
	t.Parallel()
	l := ForTest(t, Config{})
	install := func(h *Host, options ...string) error {
		argv := append([]string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"}, options...)
		_, err := h.Exec(limited(t), append(argv, "rsync")...)
		return err
	}
	started := time.Now()
	if err := each(l.Hosts(), func(h *Host) error { return install(h) }); err != nil {
		t.Fatal(err)
	}
	t.Logf("three installations at once took %s", time.Since(started).Round(time.Millisecond))
	h := l.Host("web01")
	if err := h.Reset(limited(t)); err != nil {
		t.Fatal(err)
	}
	if shared, _ := filepath.Glob(filepath.Join(l.archives(), "rsync_*.deb")); len(shared) == 0 {
		t.Error("the downloaded package is not in the cache")
	}
	if _, err := h.Exec(limited(t), "sh", "-c", "command -v rsync"); err == nil {
		t.Error("the package survived a reset")
	}
	if err := install(h, "--no-download"); err != nil {
		t.Errorf("install from the cache: %v", err)
	}
}

// recordOf finds a lab on disk by its name.
func recordOf(name string) (record, bool) {
	for _, r := range readRecords() {
		if r.Name == name {
			return r, true
		}
	}
	return record{}, false
}

// assertGone checks that nothing of a lab is left on the machine.
func assertGone(t *testing.T, r record) {
	t.Helper()
	ctx := limited(t)
	for n := range r.Hosts {
		if left := r.machine(n).processes(); len(left) > 0 {
			t.Errorf("host %d still has the processes %v", n, left)
		}
		roots, _ := cgroupRoots()
		for _, root := range roots {
			assertMissing(t, filepath.Join(root, cgroupTop, r.machine(n).name))
		}
	}
	if left, err := mountsBelow(r.disks()); err != nil || len(left) > 0 {
		t.Errorf("still mounted: %v, %v", left, err)
	}
	for _, path := range []string{
		r.dir(), r.disks(), netnsPath(r.netns()), "/sys/class/net/" + r.bridge(), "/sys/class/net/" + r.clientLink(),
	} {
		assertMissing(t, path)
	}
	for _, table := range []string{"nat", "filter"} {
		rules, err := run(ctx, "iptables", "-w", "-t", table, "-S")
		if err != nil || strings.Contains(rules, r.tag()) {
			t.Errorf("firewall rules are left: %v\n%s", err, rules)
		}
	}
}

func assertMissing(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", path, err)
	}
}
