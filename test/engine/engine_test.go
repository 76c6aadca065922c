// Package engine tests on lab servers what only real hosts can show of the
// engine: hosts that vanish, interrupted runs, what is left behind.
package engine

import (
	"bufio"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

func TestMain(m *testing.M) { os.Exit(play.Main(m)) }

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestHostSwitchedOff switches a host off in the middle of a play.
func TestHostSwitchedOff(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	book := play.Write(t, t.TempDir(), "site.yml", `
- hosts: all
  gather_facts: false
  tasks:
    - name: before
      command: touch /tmp/before
    - name: wait for the test
      wait_for: {path: /tmp/go-on, timeout: 60}
    - name: after
      command: touch /tmp/after
`)
	cmd := play.Command(limited(t), t, l, "--output", "jsonl", book)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	var off time.Time
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"type":"task"`) && strings.Contains(lines.Text(), "wait for the test") {
			off = time.Now()
			if err := l.Host("web02").Stop(limited(t)); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"lb01", "web01"} {
				if _, err := l.Host(name).Exec(limited(t), "touch", "/tmp/go-on"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	_ = cmd.Wait()
	if gone := time.Since(off); gone > 30*time.Second {
		t.Errorf("it took %v to notice that the host is off, with a timeout of 10 s", gone)
	}
	r := play.Result{Stdout: text.String(), Stderr: errs.String(), Code: cmd.ProcessState.ExitCode()}
	r.Must(t, 4)
	recap := r.Recap(t)
	if recap["web02"].Unreachable != 1 || recap["web01"].OK != 3 || recap["lb01"].OK != 3 {
		t.Errorf("recap %+v", recap)
	}
}

// TestInterrupt sends one Ctrl-C while commands run that ignore signals, and
// looks for processes of ours five seconds later.
func TestInterrupt(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	book := play.Write(t, t.TempDir(), "site.yml", `
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: stubborn
      shell: trap '' TERM HUP INT; touch /tmp/running; while :; do sleep 1; done
    - name: never
      command: touch /tmp/never
`)
	cmd := play.Command(limited(t), t, l, book)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, h := range l.Hosts() {
		waitFor(t, h, "test -e /tmp/running")
	}
	begin := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	time.Sleep(max(0, 5*time.Second-time.Since(begin))) // the promise is about this moment
	for _, h := range l.Hosts() {
		out, err := h.Exec(limited(t), "sh", "-c", "ps -eo args | grep -e '[f]oobar-play' -e '[t]rap' -e '^sleep 1$' || true; test ! -e /tmp/never")
		if err != nil || strings.TrimSpace(out) != "" {
			t.Errorf("%s: left behind: %q, %v", h.Name, out, err)
		}
	}
}

// waitFor waits until a shell condition holds on the host.
func waitFor(t *testing.T, h *lab.Host, condition string) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		if _, err := h.Exec(limited(t), "sh", "-c", condition); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: %s never held", h.Name, condition)
}
