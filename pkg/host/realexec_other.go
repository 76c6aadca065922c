//go:build !unix

package host

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func endGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

func exitCode(cmd *exec.Cmd) int { return cmd.ProcessState.ExitCode() }
