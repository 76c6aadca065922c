//go:build unix

package inventory

import (
	"os/exec"
	"syscall"
)

// endWithGroup makes the command the head of a process group, which is killed
// as a whole when its context ends.
func endWithGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
