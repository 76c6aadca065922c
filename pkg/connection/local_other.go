//go:build !unix

package connection

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

func exitStatus(st *os.ProcessState) (code int, signal string) { return st.ExitCode(), "" }
