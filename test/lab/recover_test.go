package lab

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// startChild runs this test program as a process that starts a lab of the
// name; see TestMain. Waiting for ready is up to the caller.
func startChild(t *testing.T, name string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	Require(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(limited(t), program)
	child.Env = append(os.Environ(), childEnv+"="+name)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, bufio.NewReader(out)
}

func waitForReady(t *testing.T, out *bufio.Reader) {
	t.Helper()
	if line, err := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child's lab did not start: %q, %v", line, err)
	}
}

func TestRecoverFromKill(t *testing.T) {
	t.Parallel()
	for name, whenReady := range map[string]bool{"killed-ready": true, "killed-booting": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name := unique(name)
			child, out := startChild(t, name)
			if whenReady {
				waitForReady(t, out)
			}
			left := waitForHosts(t, name)
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = child.Wait() // killed, as asked
			// Its hosts outlive it until somebody starts the next lab.
			ForTest(t, Config{Hosts: []string{"next"}})
			assertGone(t, left)
		})
	}
}

func TestInterruptClosesLab(t *testing.T) {
	t.Parallel()
	for name, whenReady := range map[string]bool{"interrupted-ready": true, "interrupted-booting": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name := unique(name)
			child, out := startChild(t, name)
			if whenReady {
				waitForReady(t, out)
			}
			left := waitForHosts(t, name)
			if err := child.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_ = child.Wait()
			status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
			if whenReady && ok && status.Signal() != syscall.SIGINT {
				t.Errorf("the child ended with %s, not by the interrupt", child.ProcessState)
			}
			assertGone(t, left)
		})
	}
}

// waitForHosts waits until a host of the child's lab runs.
func waitForHosts(t *testing.T, name string) (left record) {
	t.Helper()
	err := until(limited(t), "the child's hosts run", func() (bool, error) {
		r, ok := recordOf(name)
		left = r
		return ok && r.anyRunning(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}
