package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"time"
)

// Host is one server of a lab. Methods that change whether it runs (Start,
// Stop, Reset and the like) may be called from several goroutines; they take
// turns per host.
type Host struct {
	Name string
	Addr string // IP address; sshd is on port 22

	lab      *Lab
	machine  machine
	identity identity

	mu   sync.Mutex // held while the host is switched or its disk changed
	disk disk
}

// bootTimeout is for a machine under heavy load; a boot takes half a second.
const bootTimeout = 90 * time.Second

// enter runs its arguments as a child. nsenter would do that itself, but then
// it stops when the child is stopped, and nothing makes it go on: a host that
// shuts down stops all its processes for a moment.
const enter = `"$@"; exit $?`

// nsenter enters all of the host's namespaces with root's login environment.
func (h *Host) nsenter(init process, argv []string) []string {
	return append([]string{
		"nsenter", fmt.Sprintf("--target=%d", init.PID),
		"--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--no-fork", "--root", "--wd",
		"env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "USER=root", "LANG=C.UTF-8",
		"sh", "-c", enter, "sh",
	}, argv...)
}

// Command prepares a command that runs as root inside the host, without SSH
// and whatever the state of its network. Its environment is root's login
// environment; set Stdin, Stdout and Stderr as usual, but not Env. It errs
// when the host is off.
func (h *Host) Command(ctx context.Context, argv ...string) (*exec.Cmd, error) {
	init, ok := h.machine.init()
	if !ok {
		return nil, fmt.Errorf("run %s on %s: the host is not running", strings.Join(argv, " "), h.Name)
	}
	full := h.nsenter(init, argv)
	return command(ctx, full[0], full[1:]...), nil
}

// Exec runs a command as root inside the host, without SSH, and returns its
// standard output. A command that fails is an *ExecError. One that runs at the
// end of a shutdown makes it ten seconds longer, as systemd is not told that
// a process it did not start has ended.
func (h *Host) Exec(ctx context.Context, argv ...string) (string, error) {
	return h.exec(ctx, nil, argv)
}

func (h *Host) exec(ctx context.Context, stdin io.Reader, argv []string) (string, error) {
	cmd, err := h.Command(ctx, argv...)
	if err != nil {
		return "", err
	}
	cmd.Stdin = stdin
	return collect(ctx, cmd, argv)
}

// ReadFile returns a file of the host.
func (h *Host) ReadFile(ctx context.Context, name string) ([]byte, error) {
	out, err := h.Exec(ctx, "cat", "--", name)
	if err != nil {
		return nil, fmt.Errorf("read %s on %s: %w", name, h.Name, err)
	}
	return []byte(out), nil
}

// WriteFile writes a file of the host as root, creating directories on the
// way to it. An existing file keeps its owner and gets the given mode.
func (h *Host) WriteFile(ctx context.Context, name string, data []byte, mode os.FileMode) error {
	const script = `mkdir -p -- "$1" && cat > "$2" && chmod "$3" -- "$2"`
	argv := []string{"sh", "-c", script, "sh", path.Dir(name), name, fmt.Sprintf("%04o", mode.Perm())}
	if _, err := h.exec(ctx, strings.NewReader(string(data)), argv); err != nil {
		return fmt.Errorf("write %s on %s: %w", name, h.Name, err)
	}
	return nil
}

// Running says whether the host is switched on, booted or not.
func (h *Host) Running() bool { return len(h.machine.processes()) > 0 }

// Console returns what the host wrote to its console since it was last
// switched on.
func (h *Host) Console() string {
	data, _ := os.ReadFile(h.machine.console())
	return string(data)
}

// BootID is different after each boot; it errs when the host is off.
func (h *Host) BootID() (string, error) {
	init, ok := h.machine.init()
	if !ok {
		return "", fmt.Errorf("read the boot id of %s: the host is not running", h.Name)
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/root/proc/sys/kernel/random/boot_id", init.PID))
	if err != nil {
		return "", fmt.Errorf("read the boot id of %s: %w", h.Name, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// WaitRebooted waits until the host, told to reboot, has a boot id other than
// before and is ready.
func (h *Host) WaitRebooted(ctx context.Context, before string) error {
	err := until(ctx, h.Name+" reboots", func() (bool, error) {
		now, err := h.BootID()
		return err == nil && now != before, nil
	})
	if err != nil {
		return err
	}
	return h.WaitReady(ctx)
}

// WaitReady waits until the host has finished booting and sshd answers, for
// example after Start was called elsewhere. It errs when the host is off.
func (h *Host) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, errors.New("the host did not finish booting"))
	defer cancel()
	err := until(ctx, h.Name+" has booted", func() (bool, error) {
		init, ok := h.machine.init()
		if !ok {
			if !h.Running() {
				return false, errors.New("the host is off")
			}
			return false, nil
		}
		name := statusField(fmt.Sprintf("/proc/%d/status", init.PID), "Name")
		if name != "systemd" && name != "init" {
			return false, nil // nspawn is still preparing it
		}
		out, _ := h.Exec(ctx, "systemctl", "is-system-running")
		state := strings.TrimSpace(out)
		return state == "running" || state == "degraded", nil
	})
	if err == nil {
		err = h.waitSSH(ctx)
	}
	if err != nil {
		return fmt.Errorf("boot %s: %w\nconsole: %s", h.Name, err, tail(h.Console(), 1500))
	}
	return nil
}

// waitSSH waits until sshd greets.
func (h *Host) waitSSH(ctx context.Context) error {
	// Forget failed searches for its hardware address, which would hold up
	// the first connection by a second.
	_, _ = run(ctx, "ip", "neigh", "flush", "dev", h.lab.record.bridge(), "to", h.Addr)
	dialer := net.Dialer{Timeout: 2 * time.Second}
	return until(ctx, "sshd answers", func() (bool, error) {
		conn, err := dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(h.identity.Addr, 22).String())
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		greeting := make([]byte, 4)
		_, err = io.ReadFull(conn, greeting)
		return err == nil && string(greeting) == "SSH-", nil
	})
}
