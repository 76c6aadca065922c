package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// machine is one container: its name to the kernel and its directory. All it
// knows about running processes it reads from /proc, so that it does not
// matter which process started them.
type machine struct{ name, dir string }

func (m machine) root() string     { return filepath.Join(m.dir, "root") }
func (m machine) archives() string { return filepath.Join(m.dir, "archives") }
func (m machine) console() string  { return filepath.Join(m.dir, "console.log") }

// link is the machine's end of the cable to the container.
func (m machine) link() string { return "vb-" + m.name }

// keeper runs nspawn in cgroups of its own, and again when the container
// reboots: told to keep its unit, nspawn leaves that to its caller (status 133).
const keeper = `
while :; do
  for group in $LAB_CGROUPS; do
    if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; fi
    mkdir -p "$group" || exit
  done
  sh -c 'for group in $LAB_CGROUPS; do echo $$ > "$group/cgroup.procs" || exit; done; exec "$@"' sh "$@"
  status=$?
  [ "$status" -eq 133 ] || exit "$status"
done`

// marks are arguments that only this container's processes were started with.
func (m machine) marks() []string {
	return []string{"--machine=" + m.name, "--directory=" + m.root()}
}

// start boots the container on the bridge and returns without waiting.
func (m machine) start(bridge string) error {
	groups, err := makeCgroups(m.name)
	if err != nil {
		return err
	}
	nspawn, err := findTool("systemd-nspawn")
	if err != nil {
		return fmt.Errorf("find systemd-nspawn: %w", err)
	}
	console, err := os.Create(m.console())
	if err != nil {
		return fmt.Errorf("create the console log: %w", err)
	}
	defer console.Close()
	args := []string{
		"-c", keeper, "lab-host", nspawn, "--quiet", "--register=no", "--keep-unit", "--boot",
		"--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only",
		"--network-bridge=" + bridge, "--bind=" + m.archives() + ":/var/cache/apt/archives",
	}
	cmd := command(context.Background(), "sh", append(args, m.marks()...)...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.Env = append(cmd.Env, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "SYSTEMD_NSPAWN_TMPFS_TMP=0",
		"LAB_CGROUPS="+strings.Join(groups, " "))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start systemd-nspawn: %w", err)
	}
	go func() { _ = cmd.Wait() }() // its end is seen in /proc
	return nil
}

// processes are the keeper and nspawn, none when the container is off.
func (m machine) processes() []process { return findProcesses(m.marks()...) }

// nspawn says whether the process is nspawn itself, not a keeper.
func (p process) nspawn() bool {
	return statusField(fmt.Sprintf("/proc/%d/status", p.PID), "Name") == "systemd-nspawn"
}

// init finds the container's first process among nspawn's children.
func (m machine) init() (process, bool) {
	for _, p := range m.processes() {
		if init, ok := p.init(); ok {
			return init, true
		}
	}
	return process{}, false
}

func (p process) init() (process, bool) {
	for _, pid := range children(p.PID) {
		ids := strings.Fields(statusField(fmt.Sprintf("/proc/%d/status", pid), "NSpid"))
		if len(ids) < 2 || ids[len(ids)-1] != "1" {
			continue
		}
		if init, err := lookup(pid); err == nil {
			return init, true
		}
	}
	return process{}, false
}

// kill ends the container without giving it a say and waits until its
// processes are gone. Only processes that carry the container's marks, and
// their children in its pid namespace, are signalled.
func (m machine) kill(ctx context.Context) error {
	started := time.Now()
	return until(ctx, "the host "+m.name+" is gone", func() (bool, error) {
		left := m.processes()
		booting := slices.ContainsFunc(left, process.nspawn)
		for _, p := range left {
			init, booted := p.init()
			switch {
			case booted && p.nspawn():
				// With its first process the whole pid namespace dies;
				// nspawn then ends, and after it its keeper.
				_ = send(init.PID, syscall.SIGKILL)
			case !booting || time.Since(started) > 3*time.Second:
				_ = send(p.PID, syscall.SIGKILL)
			}
		}
		return len(left) == 0, nil
	})
}

// powerOff asks the container to shut down in order and waits for it.
func (m machine) powerOff(ctx context.Context) error {
	for _, p := range m.processes() {
		if p.nspawn() {
			if err := send(p.PID, syscall.SIGTERM); err != nil {
				return err
			}
		}
	}
	return until(ctx, "the host "+m.name+" has shut down", func() (bool, error) {
		return len(m.processes()) == 0, nil
	})
}
