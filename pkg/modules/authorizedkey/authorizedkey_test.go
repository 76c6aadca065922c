package authorizedkey

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

const (
	one = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAuAXtLkuN8sbQmcJKSvPIkUCZGHqOfCTqMqMzr"
	two = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyXhUJJs8OWJ0QZ1kHO6JbXcoVHe7Ot3vPyKFfYQ3qV"
)

func has(lines string) func(*testing.T) *modulestest.Host {
	return modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddUser("anna", 1000, 1000)
		h.AddDir("/home/anna", 0o755)
		if lines == "" {
			return
		}
		h.AddDir("/home/anna/.ssh", 0o700)
		h.AddFile("/home/anna/.ssh/authorized_keys", lines, 0o600)
		for _, p := range []string{"/home/anna/.ssh", "/home/anna/.ssh/authorized_keys"} {
			if err := h.Chown(p, 1000, 1000); err != nil {
				panic(err)
			}
		}
	})
}

func TestAuthorizedKey(t *testing.T) {
	file := func(want string) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, _ string) {
			b, err := host.ReadFile(r, "/home/anna/.ssh/authorized_keys")
			if err != nil || string(b) != want {
				t.Errorf("the file is\n%s%v, want\n%s", b, err, want)
			}
			if fi, err := r.Stat("/home/anna/.ssh/authorized_keys"); err != nil || fi.Mode != 0o600 || fi.UID != 1000 {
				t.Errorf("%+v, %v", fi, err)
			}
		}
	}
	for name, c := range map[string]modulestest.Case{
		"first key": {Host: has(""), Args: map[string]any{"key": one + " anna@x"}, Check: file(one + " anna@x\n"),
			Drift: func(t *testing.T, w host.Writer, _ string) {
				if err := w.Chmod("/home/anna/.ssh", 0o777); err != nil {
					t.Fatal(err)
				}
			}},
		"another key":              {Host: has("# mine\n" + one + " a\n"), Args: map[string]any{"key": two}, Check: file("# mine\n" + one + " a\n" + two + "\n")},
		"there":                    {Host: has(one + " a\n"), Args: map[string]any{"key": one + " a"}, Unchanged: true, Values: map[string]any{"keyfile": "/home/anna/.ssh/authorized_keys"}},
		"options":                  {Host: has(one + " a\n"), Args: map[string]any{"key": one, "comment": "b", "key_options": `no-pty,command="x y"`}, Check: file(`no-pty,command="x y" ` + one + " b\n")},
		"options there":            {Host: has(`no-pty,command="x y" ` + one + " b\n"), Args: map[string]any{"key": `no-pty,command="x y" ` + one + " b"}, Unchanged: true},
		"remove":                   {Host: has("no-pty " + one + " a\n" + two + "\n"), Args: map[string]any{"key": one, "state": "absent"}, Check: file(two + "\n")},
		"nothing to remove":        {Host: has(""), Args: map[string]any{"key": one, "state": "absent"}, Unchanged: true},
		"exclusive":                {Host: has("# c\n" + one + " a\n" + two + "\n"), Args: map[string]any{"key": two, "exclusive": true}, Check: file("# c\n" + two + "\n")},
		"twice in the file":        {Host: has(one + " a\n" + one + " b\n"), Args: map[string]any{"key": one + " a"}, Check: file(one + " a\n")},
		"no user":                  {Host: has(""), Args: map[string]any{"user": "nope", "key": one}, WantErr: "Failed to lookup user nope"},
		"other path, no directory": {Host: has(""), Args: map[string]any{"key": one, "path": "/etc/keys/anna", "manage_dir": false}, WantErr: "/etc/keys is not there"},
	} {
		c.Module = Module()
		if c.Args["user"] == nil {
			c.Args["user"] = "anna"
		}
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestKeysFromAnAddress(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_, _ = w.Write([]byte(one + "\n" + two + "\n"))
			return
		}
		http.NotFound(w, r)
	}))
	defer srv.Close()
	modulestest.Conformance(t, modulestest.Case{Module: Module(), Host: has(""), Args: map[string]any{"user": "anna", "key": srv.URL + "/keys"}})
	a, err := Module().Build(modules.Env{}, map[string]any{"user": "anna", "key": srv.URL + "/nope"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Plan(t.Context(), has("")(t)); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"", "# c", "ssh-rsa", "rubbish AAAA"} {
		if errs := Module().CheckArgs(map[string]any{"user": "a", "key": bad}, nil); errs == nil {
			t.Errorf("%q is fine", bad)
		}
	}
}
