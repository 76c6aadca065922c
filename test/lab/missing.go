package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// RequireEnv is the environment variable that, set to "require", turns a
// skipped lab test into a failed one.
const RequireEnv = "FOOBAR_PLAY_LAB"

// TB is the part of testing.TB that this package uses.
type TB interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
	Cleanup(func())
}

// tools maps the commands the lab runs to the Debian packages that hold them.
var tools = []struct{ command, pkg string }{
	{"debootstrap", "debootstrap"},
	{"systemd-nspawn", "systemd-container"},
	{"ip", "iproute2"},
	{"iptables", "iptables"},
	{"nsenter", "util-linux"},
	{"chroot", "coreutils"},
}

// Missing says why no lab can run here, all reasons and remedies in one
// error, or returns nil. It looks at the machine and changes nothing.
func Missing() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("run the lab: it needs Linux (namespaces, overlayfs, systemd-nspawn), this is %s", runtime.GOOS)
	}
	var lacks, packages []string
	if os.Geteuid() != 0 {
		lacks = append(lacks, "root rights (run as root, for example with sudo -E)")
	}
	for _, t := range tools {
		if _, err := findTool(t.command); err != nil {
			lacks = append(lacks, "the command "+t.command)
			packages = append(packages, t.pkg)
		}
	}
	if filesystems, err := os.ReadFile("/proc/filesystems"); err == nil && !strings.Contains(string(filesystems), "\toverlay\n") {
		lacks = append(lacks, "overlayfs in the kernel (modprobe overlay)")
	}
	if roots, err := cgroupRoots(); err != nil || len(roots) == 0 {
		lacks = append(lacks, "a cgroup2 mount (mount -t cgroup2 cgroup2 /sys/fs/cgroup)")
	}
	if _, err := findMirror(os.DirFS("/"), os.Getenv); err != nil {
		lacks = append(lacks, err.Error())
	}
	if len(lacks) == 0 {
		return nil
	}
	message := "run the lab: this machine lacks " + strings.Join(lacks, "; ")
	if len(packages) > 0 {
		message += "; install with: apt-get install " + strings.Join(packages, " ")
	}
	return errors.New(message)
}

// Require skips the test when no lab can run here, or fails it when the
// environment variable RequireEnv is "require". The message names everything
// that is missing.
func Require(t TB) {
	t.Helper()
	err := Missing()
	switch {
	case err == nil:
	case os.Getenv(RequireEnv) == "require":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// ForTest starts a lab for a test and closes it when the test ends. It skips
// or fails the test as Require does, and fails it when the lab does not start
// or can't be closed.
func ForTest(t TB, cfg Config) *Lab {
	t.Helper()
	Require(t)
	l, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return l
}

// findTool looks a command up on PATH and where Debian keeps root's commands.
func findTool(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		candidate := filepath.Join(dir, name)
		if info, statErr := os.Stat(candidate); statErr == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", err
}
