package sysctl

import (
	"context"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

var fake = modulestest.NewTestHost(func(h *modulestest.Host) {
	h.AddFile("/etc/sysctl.conf", "# c\nnet.ipv4.ip_forward = 0\nvm.swappiness=10\nnet/ipv4/ip_forward=0\n", 0o644)
	h.AddFile("/proc/sys/net/ipv4/ip_forward", "0\n", 0o644)
	h.AddFile("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n", 0o644)
	h.AddFile("/proc/sys/kernel/ro", "0\n", 0o444)
	h.Handle([]string{"tee", "*"}, func(_ context.Context, h *modulestest.Host, cmd host.Command) (host.Output, error) {
		if strings.HasSuffix(cmd.Argv[1], "/ro") {
			return host.Output{RC: 1, Stderr: []byte("tee: Invalid argument\n")}, nil
		}
		h.AddFile(cmd.Argv[1], string(cmd.Stdin), 0o644)
		return host.Output{}, nil
	})
})

func TestSysctl(t *testing.T) {
	file := func(name, want string) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, _ string) {
			if b, err := host.ReadFile(r, name); string(b) != want {
				t.Errorf("%s is %q, %v", name, b, err)
			}
		}
	}
	for name, c := range map[string]modulestest.Case{
		"change": {Args: map[string]any{"name": "net.ipv4.ip_forward", "value": 1},
			Check: file("/etc/sysctl.conf", "# c\nnet.ipv4.ip_forward=1\nvm.swappiness=10\n")},
		"change sets the kernel": {Args: map[string]any{"name": "net.ipv4.ip_forward", "value": 1, "sysctl_set": true},
			Check: file("/proc/sys/net/ipv4/ip_forward", "1\n"),
			Drift: func(t *testing.T, w host.Writer, _ string) {
				if err := w.WriteFile("/proc/sys/net/ipv4/ip_forward", strings.NewReader("0\n"), host.Attrs{}); err != nil {
					t.Fatal(err)
				}
			}},
		"there":         {Args: map[string]any{"name": "vm.swappiness", "value": "10"}, Unchanged: true, Values: map[string]any{"value": "10"}},
		"blanks":        {Args: map[string]any{"name": "net.ipv4.tcp_rmem", "value": "4096 131072  6291456", "sysctl_set": true, "sysctl_file": "/etc/sysctl.d/a.conf"}, Host: withDir},
		"remove":        {Args: map[string]any{"name": "vm.swappiness", "state": "absent"}},
		"gone":          {Args: map[string]any{"name": "vm.nope", "state": "absent"}, Unchanged: true},
		"unknown":       {Args: map[string]any{"name": "vm.nope", "value": "1", "sysctl_set": true}, WantErr: "read the setting vm.nope"},
		"ignore errors": {Args: map[string]any{"name": "kernel.ro", "value": "1", "ignoreerrors": true}},
	} {
		c.Module = Module()
		if c.Host == nil {
			c.Host = fake
		}
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func withDir(t *testing.T) *modulestest.Host {
	h := fake(t)
	h.AddDir("/etc/sysctl.d", 0o755)
	return h
}

func TestProcFile(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.ip_forward": "net/ipv4/ip_forward", "net/ipv4/conf/eth0.10/x": "net/ipv4/conf/eth0.10/x",
		"net.ipv4.conf.eth0/10.x": "net/ipv4/conf/eth0.10/x", "x": "x",
	} {
		if got := procFile(name); got != "/proc/sys/"+want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, args := range []map[string]any{{"name": "a"}, {"name": "a b", "value": "1"}, {"name": "a", "value": "1\n2"}} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%v is fine", args)
		}
	}
}
