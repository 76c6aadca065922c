package user

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// fake is a host whose useradd and siblings do what accounts pretends they do.
var fake = modulestest.NewTestHost(func(h *modulestest.Host) {
	h.AddFile("/etc/shadow", "root:*:1:0:99999:7:::\nanna:!$6$a$b:1:0:99999:7::20000:\n", 0o640)
	h.AddFile("/etc/login.defs", "UID_MIN 1000\nUID_MAX 60000\nHOME_MODE 0700\n", 0o644)
	h.AddFile("/etc/skel/.profile", "hi\n", 0o644)
	h.AddUser("anna", 1000, 1000)
	h.AddGroup("anna", 1000)
	h.AddGroup("adm", 4, "anna")
	h.AddGroup("sudo", 27)
	h.AddDir("/home/anna", 0o700)
	for _, tool := range []string{"useradd", "usermod", "userdel", "chpasswd", "chage"} {
		h.Handle([]string{tool, "..."}, func(_ context.Context, h *modulestest.Host, cmd host.Command) (host.Output, error) {
			return host.Output{}, cmd.Pretend(h)
		})
	}
})

func TestUser(t *testing.T) {
	for name, c := range map[string]modulestest.Case{
		"as wanted": {Args: map[string]any{"name": "anna", "uid": 1000, "groups": "adm", "shell": "/bin/sh", "password": "!$6$a$b", "expires": 1728000000}, Unchanged: true,
			Values: map[string]any{"uid": 1000, "group": 1000, "home": "/home/anna", "shell": "/bin/sh", "password": "NOT_LOGGING_PASSWORD"}},
		"append keeps":    {Args: map[string]any{"name": "anna", "groups": []any{"4"}, "append": true}, Unchanged: true},
		"set on creation": {Args: map[string]any{"name": "anna", "password": "$6$x", "update_password": "on_create"}, Unchanged: true},
		"gone":            {Args: map[string]any{"name": "nope", "state": "absent"}, Unchanged: true},
		"new": {Args: map[string]any{"name": "deploy", "comment": "De Ploy", "shell": "/bin/bash", "groups": "sudo,adm", "password": "$6$x$y"},
			Values: map[string]any{"uid": 1001, "home": "/home/deploy", "groups": "sudo,adm", "state": "present"},
			Check: func(t *testing.T, r host.Reader, _ string) {
				if fi, err := r.Stat("/home/deploy/.profile"); err != nil || fi.UID != 1001 {
					t.Errorf("skeleton: %+v, %v", fi, err)
				}
				b, _ := host.ReadFile(r, "/etc/shadow")
				if !strings.Contains(string(b), "deploy:$6$x$y:") {
					t.Errorf("shadow: %s", b)
				}
			}},
		"new system user": {Args: map[string]any{"name": "app", "system": true, "create_home": false, "uid": 900, "group": "adm", "expires": -1, "password_lock": true},
			Values: map[string]any{"uid": 900, "group": 4}},
		"change all": {Args: map[string]any{"name": "anna", "comment": "Anna", "shell": "/bin/bash", "groups": "sudo", "group": "adm", "expires": -1, "password_expire_max": 90, "password_lock": false},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				err := modifyLine(w, "/etc/passwd", ":Anna:", ":Nobody:")
				if err != nil {
					t.Fatal(err)
				}
			}},
		"no groups": {Args: map[string]any{"name": "anna", "groups": ""}},
		"move home": {Args: map[string]any{"name": "anna", "home": "/srv/anna", "move_home": true},
			Check: func(t *testing.T, r host.Reader, _ string) {
				if there, _ := host.Exists(r, "/home/anna"); there {
					t.Error("the old home is still there")
				}
			}},
		"home again":    {Args: map[string]any{"name": "anna"}, Unchanged: true, Drift: nil},
		"remove":        {Args: map[string]any{"name": "anna", "state": "absent", "remove": true}},
		"no such group": {Args: map[string]any{"name": "anna", "groups": "nope"}, WantErr: "Group nope does not exist"},
	} {
		c.Module, c.Host = Module(), fake
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func modifyLine(w host.Writer, file, from, to string) error {
	b, err := host.ReadFile(w, file)
	if err != nil {
		return err
	}
	return w.WriteFile(file, strings.NewReader(strings.ReplaceAll(string(b), from, to)), host.Attrs{})
}

func execute(t *testing.T, w host.Writer, check bool, args map[string]any) modules.Result {
	t.Helper()
	a, err := Module().Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "user", a, w, modules.Mode{Check: check})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestSSHKey(t *testing.T) {
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		h := fake(t)
		args := map[string]any{"name": "anna", "generate_ssh_key": true, "ssh_key_type": kind, "ssh_key_comment": "a key"}
		if kind == "rsa" {
			args["ssh_key_passphrase"] = "word"
		}
		dry := execute(t, host.NewShadow(h), true, args)
		if _, unknown := dry.Values["ssh_public_key"].(value.Unknown); !dry.Changed || !unknown {
			t.Errorf("%s: a dry run knows the key: %+v", kind, dry)
		}
		res := execute(t, h, false, args)
		line, _ := res.Values["ssh_public_key"].(string)
		if _, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err != nil || comment != "a key" {
			t.Errorf("%s: %q, %v", kind, line, err)
		}
		private, err := host.ReadFile(h, "/home/anna/.ssh/id_"+kind)
		if err != nil {
			t.Fatal(err)
		}
		parse := func() error { _, err := ssh.ParsePrivateKey(private); return err }
		if kind == "rsa" {
			parse = func() error { _, err := ssh.ParsePrivateKeyWithPassphrase(private, []byte("word")); return err }
		}
		if err := parse(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if fi, _ := h.Stat("/home/anna/.ssh/id_" + kind); fi.Mode != 0o600 || fi.UID != 1000 {
			t.Errorf("%s: %+v", kind, fi)
		}
		again := execute(t, h, false, args)
		if again.Changed || again.Values["ssh_public_key"] != line {
			t.Errorf("%s: the second run: %+v", kind, again)
		}
		args["force"] = true
		if forced := execute(t, h, false, args); !forced.Changed || forced.Values["ssh_public_key"] == line {
			t.Errorf("%s: force: %+v", kind, forced)
		}
	}
}

// In a dry run nothing is invented, and no password is shown.
func TestDryRunOfANewUser(t *testing.T) {
	res := execute(t, host.NewShadow(fake(t)), true, map[string]any{"name": "deploy", "password": "$6$secret"})
	if _, unknown := res.Values["uid"].(value.Unknown); !unknown {
		t.Errorf("uid: %v", res.Values["uid"])
	}
	for _, c := range res.Changes {
		if strings.Contains(value.Text(c.After), "secret") && !c.Sensitive {
			t.Errorf("shown: %+v", c)
		}
	}
	w := host.NewShadow(fake(t))
	host.NotePending(w, "p", "package p may ship it")
	if res := execute(t, w, true, map[string]any{"name": "www"}); res.Unknown == "" {
		t.Errorf("a user that a package may bring: %+v", res)
	}
}

func TestOptions(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"plain password": {"password": "hunter2"}, "append": {"append": true}, "non_unique": {"non_unique": true}, "home": {"home": "x"}, "move": {"move_home": true},
	} {
		args["name"] = "a"
		errs := Module().CheckArgs(args, nil)
		if errs == nil || strings.Contains(errs.Error(), "hunter2") {
			t.Errorf("%s: %v", name, errs)
		}
	}
	for _, ok := range []string{"*", "!", "!!", "", "$6$rounds=5000$a$b", "!$y$j9T$x", "abJnggxhB/yWI"} {
		if errs := Module().CheckArgs(map[string]any{"name": "a", "password": ok}, nil); errs != nil {
			t.Errorf("%q: %v", ok, errs)
		}
	}
}
