package lab

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestHostsAreRealServers(t *testing.T) {
	t.Parallel()
	started := time.Now()
	l := ForTest(t, Config{})
	t.Logf("three hosts up after %s", time.Since(started).Round(time.Millisecond))
	for _, h := range l.Hosts() {
		if got := mustExec(t, h, "hostname"); got != h.Name+"\n" {
			t.Errorf("hostname of %s = %q", h.Name, got)
		}
		if got := mustExec(t, h, "systemctl", "is-system-running"); got != "running\n" {
			t.Errorf("%s is %q, failed units: %s", h.Name, got, mustExec(t, h, "systemctl", "--failed"))
		}
		if got := mustExec(t, h, "sh", "-c", "command -v python python3 || true"); got != "" {
			t.Errorf("%s has Python: %s", h.Name, got)
		}
	}
	if a, b := mustExec(t, l.Host("web01"), "cat", "/etc/machine-id"), mustExec(t, l.Host("web02"), "cat", "/etc/machine-id"); a == b {
		t.Errorf("two hosts share the machine id %s", a)
	}
}

func TestExecReportsFailure(t *testing.T) {
	t.Parallel()
	h := ForTest(t, Config{Hosts: []string{"web01"}}).Host("web01")
	_, err := h.Exec(limited(t), "sh", "-c", "echo out; echo err >&2; exit 3")
	failed, ok := errors.AsType[*ExecError](err)
	if !ok || failed.Code != 3 || failed.Stdout != "out\n" || failed.Stderr != "err\n" {
		t.Errorf("Exec of a failing command = %#v", err)
	}
	want := "one\x00two\n"
	if err := h.WriteFile(limited(t), "/etc/new/file", []byte(want), 0o640); err != nil {
		t.Fatal(err)
	}
	if got, err := h.ReadFile(limited(t), "/etc/new/file"); err != nil || string(got) != want {
		t.Errorf("ReadFile = %q, %v", got, err)
	}
	if got := mustExec(t, h, "stat", "-c", "%a %U", "/etc/new/file"); got != "640 root\n" {
		t.Errorf("the written file is %s", got)
	}
}

// TestSSH uses OpenSSH, because that is what the keys and files are made for.
func TestSSH(t *testing.T) {
	t.Parallel()
	l := ForTest(t, Config{Hosts: []string{"web01"}})
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("ssh is not installed (apt-get install openssh-client)")
	}
	h := l.Host("web01")
	for user, want := range map[string]string{User: "root", PasswordUser: "a password is required", PlainUser: "a password is required"} {
		args := append(h.SSHArgs()[:len(h.SSHArgs())-1], user+"@"+h.Addr, "sudo -n id -un 2>&1")
		out, _ := exec.CommandContext(limited(t), "ssh", args...).CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("sudo as %s: %q, want %q", user, out, want)
		}
	}
	relay, err := h.Relay(50 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	through := append(h.SSHArgs()[:len(h.SSHArgs())-1], "-p", strconv.Itoa(relay.Port()), User+"@127.0.0.1", "hostname")
	started := time.Now()
	if out, err := exec.CommandContext(limited(t), "ssh", through...).Output(); err != nil || string(out) != "web01\n" {
		t.Errorf("ssh through a relay: %q, %v", out, err)
	}
	if took := time.Since(started); took < 400*time.Millisecond {
		t.Errorf("ssh through a relay took %s, less than four round trips", took)
	}

	sudo := "echo " + Password + " | sudo -S -p '' id -un; echo " + RootPassword + " | su -c 'id -un' 2>&1"
	args := append(h.SSHArgs()[:len(h.SSHArgs())-1], PasswordUser+"@"+h.Addr, sudo)
	out, err := exec.CommandContext(limited(t), "ssh", args...).Output()
	if err != nil || string(out) != "root\nPassword: root\n" {
		t.Errorf("sudo and su with passwords: %q, %v", out, err)
	}
}

func TestResetAndStates(t *testing.T) {
	t.Parallel()
	l := ForTest(t, Config{Hosts: []string{"web01"}})
	h := l.Host("web01")
	keys, err := os.ReadFile(l.KnownHosts())
	if err != nil {
		t.Fatal(err)
	}
	mark := func(text string) { mustExec(t, h, "sh", "-c", "echo "+text+" >> /etc/mark; rm -f /etc/issue") }
	has := func() string { return mustExec(t, h, "sh", "-c", "cat /etc/mark /etc/issue 2>/dev/null || true") }
	pristine := has()

	mark("first")
	if err := h.Snapshot(limited(t), "one"); err != nil {
		t.Fatal(err)
	}
	mark("second")
	if err := h.Snapshot(limited(t), "two"); err != nil {
		t.Fatal(err)
	}
	if err := h.Snapshot(limited(t), "two"); err == nil {
		t.Error("a second state of the same name was accepted")
	}
	started := time.Now()
	if err := h.Reset(limited(t)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(started)
	t.Logf("reset took %s", took.Round(time.Millisecond))
	if took > 20*time.Second {
		t.Errorf("reset took %s", took)
	}
	if got := has(); got != pristine {
		t.Errorf("after a reset the host has %q, want %q", got, pristine)
	}
	for state, want := range map[string]string{"one": "first\n", "two": "first\nsecond\n"} {
		if err := h.Restore(limited(t), state); err != nil {
			t.Fatal(err)
		}
		if got := has(); got != want {
			t.Errorf("state %s has %q, want %q", state, got, want)
		}
	}
	if now, err := os.ReadFile(l.KnownHosts()); err != nil || string(now) != string(keys) {
		t.Errorf("the host keys changed: %v", err)
	}
	if err := h.Restore(limited(t), "three"); err == nil {
		t.Error("an unknown state was restored")
	}
}

// greet connects to sshd and reads its greeting.
func greet(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	greeting := make([]byte, 4)
	if _, err := io.ReadFull(conn, greeting); err != nil || string(greeting) != "SSH-" {
		t.Fatalf("sshd's greeting is %q, %v", greeting, err)
	}
	return conn
}

// reachable says whether port 22 answers within a short while.
func reachable(h *Host) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(h.Addr, "22"), 300*time.Millisecond)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func TestCutOffAndReconnect(t *testing.T) {
	t.Parallel()
	h := ForTest(t, Config{Hosts: []string{"web01"}}).Host("web01")
	conn := greet(t, h.Addr+":22")
	if err := h.CutOff(limited(t)); err != nil {
		t.Fatal(err)
	}
	if reachable(h) {
		t.Error("a host that is cut off answers")
	}
	mustExec(t, h, "true")
	if err := h.Reconnect(limited(t)); err != nil {
		t.Fatal(err)
	}
	if err := until(limited(t), "the host answers", func() (bool, error) { return reachable(h), nil }); err != nil {
		t.Fatal(err)
	}
	// The connection from before has survived.
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write([]byte("SSH-2.0-test\r\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1024)); n == 0 || err != nil {
		t.Errorf("reading after the reconnection: %d bytes, %v", n, err)
	}
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	h := ForTest(t, Config{Hosts: []string{"web01"}}).Host("web01")
	mustExec(t, h, "sh", "-c", "echo kept > /root/kept")
	conn := greet(t, h.Addr+":22")
	if err := h.Stop(limited(t)); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, err := io.Copy(io.Discard, conn)
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("a connection to a stopped host ends with %v, want silence", err)
	}
	if _, err := h.Exec(limited(t), "true"); err == nil || h.Running() {
		t.Errorf("the stopped host still runs: %v", err)
	}
	if err := errors.Join(h.Stop(limited(t)), h.Start(limited(t)), h.Start(limited(t))); err != nil {
		t.Fatal(err)
	}
	if got := mustExec(t, h, "cat", "/root/kept"); got != "kept\n" {
		t.Errorf("after a power cut the file holds %q", got)
	}
}

func TestRebootFromInside(t *testing.T) {
	t.Parallel()
	h := ForTest(t, Config{Hosts: []string{"web01"}}).Host("web01")
	before, err := h.BootID()
	if err != nil {
		t.Fatal(err)
	}
	if inside := mustExec(t, h, "cat", "/proc/sys/kernel/random/boot_id"); inside != before+"\n" {
		t.Errorf("the boot id is %q inside and %q outside", inside, before)
	}
	_, _ = h.Exec(limited(t), "systemctl", "--no-block", "reboot")
	if err := h.WaitRebooted(limited(t), before); err != nil {
		t.Fatal(err)
	}
	if err := h.Shutdown(limited(t)); err != nil || h.Running() {
		t.Errorf("shut down: %v", err)
	}
}

func TestClientIsOutside(t *testing.T) {
	t.Parallel()
	l := ForTest(t, Config{Hosts: []string{"web01"}})
	h := l.Host("web01")
	mustExec(t, h, "systemd-run", "--quiet", "--unit=closed", "sh", "-c", "exec sleep 600")
	out, err := l.Client.Exec(limited(t), "ip", "-br", "addr", "show", "dev", "eth0")
	if err != nil || !strings.Contains(out, l.Client.Addr) {
		t.Errorf("the client's address: %q, %v", out, err)
	}
	conn, err := l.Client.DialContext(limited(t), "tcp", h.Addr+":22")
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.LocalAddr().(*net.TCPAddr).IP.String(); got != l.Client.Addr {
		t.Errorf("the client dials from %s, not %s", got, l.Client.Addr)
	}
	_ = conn.Close()
	if conn, err := l.Client.DialContext(limited(t), "tcp", h.Addr+":81"); err == nil {
		_ = conn.Close()
		t.Error("a port that nobody listens on is open")
	}
	if _, err := l.Client.DialContext(limited(t), "tcp", "localhost:22"); err == nil {
		t.Error("dialling a name from the client was accepted")
	}
}
