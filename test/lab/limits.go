package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The kernel counts inotify instances per user, and root of every host is root
// of this machine. One host's systemd and its services hold about eight, so the
// kernel's default of 128 ends with some fifteen hosts, in all labs together:
// the next ones then fail to boot with "Too many open files".
const (
	inotifyLimit = "/proc/sys/fs/inotify/max_user_instances"
	inotifyWant  = 8192
)

// raiseLimits lifts what many hosts on one machine run into. The limit is left
// lifted: other labs may have come to need it, and it costs nothing.
func raiseLimits() error {
	text, err := os.ReadFile(inotifyLimit)
	if err != nil {
		return fmt.Errorf("read the limit of inotify instances: %w", err)
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("read the limit of inotify instances: %w", err)
	}
	if now >= inotifyWant {
		return nil
	}
	if err := os.WriteFile(inotifyLimit, []byte(strconv.Itoa(inotifyWant)), 0o644); err != nil {
		return fmt.Errorf("raise the limit of inotify instances from %d to %d (sysctl fs.inotify.max_user_instances): %w", now, inotifyWant, err)
	}
	return nil
}
