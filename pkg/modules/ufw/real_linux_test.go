package ufw

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// TestRealUFW checks against ufw itself that the rules the module expects are
// those ufw writes: every task must change something, pass its own
// verification, be foreseen by the dry run and change nothing the second time.
// It works in namespaces of its own and touches nothing of this machine.
func TestRealUFW(t *testing.T) {
	if os.Getenv("UFW_TEST_NAMESPACE") == "" {
		enterNamespace(t)
		return
	}
	isolate(t)
	for i, task := range realTasks {
		args := map[string]any{}
		for k, v := range task {
			args[k] = v
		}
		again := args["again"] != "changes"
		delete(args, "again")
		foreseen, err := execute(t, args, true)
		if err != nil || !foreseen.Changed {
			t.Fatalf("task %d %v: dry run: changed %v, err %v", i, args, foreseen.Changed, err)
		}
		done, err := execute(t, args, false)
		if err != nil || !done.Changed {
			t.Fatalf("task %d %v: changed %v, err %v", i, args, done.Changed, err)
		}
		if !slices.EqualFunc(foreseen.Changes, done.Changes, func(a, b modules.Change) bool { return a == b }) {
			t.Errorf("task %d %v: foreseen %v, done %v", i, args, foreseen.Changes, done.Changes)
		}
		if second, err := execute(t, args, false); err != nil || second.Changed == again {
			t.Errorf("task %d %v: the second time: changed %v %v, err %v", i, args, second.Changed, second.Changes, err)
		}
	}
}

var realTasks = []map[string]any{
	{"rule": "limit", "port": 22, "proto": "tcp", "comment": "ssh, ü"},
	{"rule": "allow", "port": "443,80", "proto": "tcp"},
	{"rule": "allow", "port": "6000:6007", "proto": "udp", "from": "192.0.2.77/24"},
	{"rule": "allow", "port": 53},
	{"rule": "allow", "port": 53, "log": true},
	{"rule": "deny", "from": "198.51.100.0/255.255.255.128", "to": "203.0.113.9/32", "insert": 1},
	{"rule": "allow", "from": "2001:DB8:0::/48", "port": 22, "proto": "tcp"},
	{"rule": "reject", "from": "2001:db8::7", "insert": 1},
	{"rule": "allow", "direction": "in", "interface": "eth0", "port": 8080, "proto": "tcp"},
	{"rule": "deny", "direction": "out", "interface": "eth1", "port": 25, "proto": "tcp"},
	{"rule": "allow", "route": true, "interface_in": "eth0", "interface_out": "eth1", "proto": "tcp", "port": 80},
	{"rule": "allow", "route": true, "interface_out": "eth1"},
	{"rule": "deny", "route": true, "from": "10.0.0.0/8"},
	{"rule": "allow", "proto": "esp"},
	{"rule": "allow", "proto": "igmp"},
	{"rule": "allow", "name": "nginx full"},
	{"rule": "allow", "name": "DNS", "from": "192.0.2.0/24"},
	{"rule": "deny", "port": 22, "proto": "tcp", "insert": 1},
	{"rule": "limit", "port": 22, "proto": "tcp", "comment": ""},
	{"rule": "allow", "from_port": 123, "proto": "udp", "insert": 0, "insert_relative_to": "last-ipv6"},
	{"rule": "allow", "port": 9000, "insert": 0, "insert_relative_to": "first-ipv6"},
	{"rule": "allow", "port": 53, "log": true, "delete": true},
	{"rule": "allow", "name": "Nginx Full", "delete": true},
	{"purge": []any{map[string]any{"port": 22, "proto": "tcp"}, map[string]any{"name": "DNS", "from": "192.0.2.0/24"}, map[string]any{"port": "80,443", "proto": "tcp"}}},
	{"default": "reject", "direction": "incoming"},
	{"default": "deny", "direction": "outgoing"},
	{"default": "allow", "direction": "routed"},
	{"logging": "off"},
	{"logging": "on"},
	{"logging": "medium"},
	{"state": "enabled"},
	{"rule": "allow", "port": 4444, "proto": "tcp"},
	{"rule": "allow", "port": 4445, "proto": "tcp", "insert": 1},
	{"rule": "limit", "port": 4444, "proto": "tcp"},
	{"rule": "limit", "port": 4444, "proto": "tcp", "delete": true},
	{"rule": "allow", "port": 4446, "purge": []any{map[string]any{"port": 4445, "proto": "tcp"}}},
	{"purge": []any{}},
	{"default": "deny"},
	{"logging": "low"},
	{"state": "reloaded", "again": "changes"},
	{"state": "disabled"},
	{"state": "reset"},
	{"logging": "full", "default": "reject", "rule": "allow", "port": 22, "proto": "tcp", "state": "enabled"},
	{"state": "reset"},
}

func execute(t *testing.T, args map[string]any, check bool) (modules.Result, error) {
	t.Helper()
	action, err := Module().Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	var w host.Writer = host.NewReal()
	if check {
		w = host.NewShadow(w)
	}
	return modules.Execute(t.Context(), "ufw", action, w, modules.Mode{Check: check})
}

// enterNamespace runs the test again in mount and network namespaces.
func enterNamespace(t *testing.T) {
	if _, err := exec.LookPath("ufw"); err != nil || os.Geteuid() != 0 {
		t.Skip("needs root and the package ufw")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRealUFW$", "-test.v")
	cmd.Env = append(os.Environ(), "UFW_TEST_NAMESPACE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("namespaces are not allowed here")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// isolate lays fresh copies over ufw's files.
func isolate(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	for _, p := range []string{"/etc/ufw", "/etc/default/ufw"} {
		copied := filepath.Join(t.TempDir(), "copy")
		must(exec.Command("cp", "-a", p, copied).Run())
		must(syscall.Mount(copied, p, "", syscall.MS_BIND, ""))
	}
	must(exec.Command("ufw", "--force", "reset").Run())
	must(exec.Command("ip", "link", "set", "lo", "up").Run())
}
