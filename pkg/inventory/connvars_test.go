package inventory

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/value"
)

func readFrom(m map[string]any) (ConnVars, error) {
	return ReadConnVars(func(name string) (any, bool, error) {
		v, ok := m[name]
		if err, bad := v.(error); bad {
			return nil, true, err
		}
		return v, ok, nil
	})
}

func TestReadConnVars(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		in   map[string]any
		want ConnVars
	}{
		{nil, ConnVars{}},
		{map[string]any{"ansible_host": "192.0.2.1", "ansible_port": "2222", "ansible_user": "deploy", "ansible_become": "yes",
			"ansible_become_method": "ansible.builtin.sudo", "ansible_password": 12345, "ansible_ssh_private_key_file": "~/.ssh/k",
			"ansible_connection": "smart", "ansible_become_user": "app", "ansible_become_password": "s", "ansible_become_exe": "/usr/bin/sudo", "ansible_become_flags": "-H"},
			ConnVars{Host: "192.0.2.1", Port: 2222, User: "deploy", Become: &yes, BecomeMethod: "sudo", Password: "12345", PrivateKeyFile: "~/.ssh/k",
				Connection: "ssh", BecomeUser: "app", BecomePassword: "s", BecomeExe: "/usr/bin/sudo", BecomeFlags: "-H"}},
		{map[string]any{"ansible_ssh_host": "old", "ansible_ssh_pass": "p", "ansible_become_pass": "q", "ansible_ssh_port": 22.0, "ansible_become": false},
			ConnVars{Host: "old", Password: "p", BecomePassword: "q", Port: 22, Become: &no}},
		{map[string]any{"ansible_host": nil, "ansible_ssh_host": "old", "ansible_port": ""}, ConnVars{Host: "old"}},
		{map[string]any{"ansible_ssh_common_args": `-o ProxyJump=a@j1:22,j2 -J later -o "StrictHostKeyChecking no" -v`},
			ConnVars{ProxyJump: "a@j1:22,j2", IgnoredArgs: []string{"-o StrictHostKeyChecking no", "-v"}}},
		{map[string]any{"ansible_ssh_common_args": "-Jj1 -oproxyjump=j2 -o ProxyCommand=none"}, ConnVars{ProxyJump: "j1", IgnoredArgs: []string{"-o ProxyCommand=none"}}},
		{map[string]any{"ansible_ssh_common_args": `-o "ProxyJump j1"`}, ConnVars{ProxyJump: "j1"}},
	} {
		if got, err := readFrom(c.in); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %+v, %v", c.in, got, err)
		}
	}
}

func TestReadConnVarsMistakes(t *testing.T) {
	_, err := readFrom(map[string]any{
		"ansible_host": errors.New("boom"), "ansible_ssh_port": 0, "ansible_user": []any{"x"}, "ansible_connection": "winrm",
		"ansible_become": "maybe", "ansible_become_method": "doas", "ansible_ssh_common_args": "-o ProxyCommand='nc %h %p'",
		"ansible_password": value.Unknown{Reason: "of a task"},
	})
	for _, want := range []string{
		"read the connection variable ansible_host: boom", `ansible_ssh_port: "0" is not a port (1 to 65535)`, "ansible_user: must be text, found a list",
		`ansible_connection: "winrm" is not supported; use one of local, paramiko, paramiko_ssh, smart, ssh`, "ansible_become: ", `ansible_become_method: "doas" is not supported; use one of su, sudo`,
		"ansible_ssh_common_args: ProxyCommand is not supported", "ansible_password: is not known in a dry run: of a task",
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	for _, args := range []string{"-J", "-o", "'"} {
		if _, err := readFrom(map[string]any{"ansible_ssh_common_args": args}); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

// Every documented variable is read, every name once, every secret marked.
func TestConnectionVars(t *testing.T) {
	asked := map[string]bool{}
	if _, err := ReadConnVars(func(name string) (any, bool, error) { asked[name] = true; return nil, false, nil }); err != nil {
		t.Fatal(err)
	}
	for _, v := range ConnectionVars() {
		for _, name := range append([]string{v.Name}, v.Aliases...) {
			if !asked[name] && name != "ansible_python_interpreter" {
				t.Errorf("%s is documented and not read", name)
			}
			delete(asked, name)
			if strings.Contains(name, "pass") != v.Secret {
				t.Errorf("%s: secret is %v", name, v.Secret)
			}
		}
		if v.Doc == "" || v.Type == "" {
			t.Errorf("%s is not documented", v.Name)
		}
	}
	if len(asked) > 0 {
		t.Errorf("read and not documented: %v", asked)
	}
}
