package copy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/copy" //nolint:predeclared // Ansible's name
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

type m = map[string]any

// project is a controller with files to copy.
func project(t *testing.T) *modulestest.Controller {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		p := filepath.Join(dir, "files", name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("app.conf", "port=80\n", 0o644)
	write("tool", "#!/bin/sh\n", 0o750)
	write("tree/a", "a", 0o644)
	write("tree/sub/b", "b", 0o755)
	if err := os.Mkdir(filepath.Join(dir, "files/tree/empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub/b", filepath.Join(dir, "files/tree/link")); err != nil {
		t.Fatal(err)
	}
	return &modulestest.Controller{Dir: dir}
}

func content(path, want string) func(*testing.T, host.Reader, string) {
	return func(t *testing.T, r host.Reader, dir string) {
		t.Helper()
		b, err := host.ReadFile(r, strings.ReplaceAll(path, "$DIR", dir))
		if err != nil || string(b) != want {
			t.Fatalf("%s: %q, %v; want %q", path, b, err, want)
		}
	}
}

func TestConformance(t *testing.T) {
	empty := modulestest.NewTestHost(nil)
	full := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddUser("app", 700, 700)
		h.AddGroup("app", 700)
		h.AddFile("/etc/app.conf", "port=81\n", 0o600)
		h.AddFile("/opt/real", "old", 0o644)
		h.AddLink("real", "/opt/link")
		h.AddFile("/opt/src/x", "x", 0o700)
		h.AddLink("x", "/opt/src/l")
		h.AddDir("/opt/dst", 0o755)
		h.AddCommand([]string{"check", "*"}, host.Output{}, nil)
		h.AddCommand([]string{"refuse", "*"}, host.Output{RC: 3, Stdout: []byte("no good")}, nil)
		h.AddMissing("not-installed")
	})
	write := func(p, s string) func(*testing.T, host.Writer, string) {
		return func(t *testing.T, w host.Writer, dir string) {
			if err := w.WriteFile(strings.ReplaceAll(p, "$DIR", dir), strings.NewReader(s), host.Attrs{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := map[string]modulestest.Case{
		"new file": {
			Host: full, Args: m{"src": "app.conf", "dest": "/etc/new.conf", "owner": "app", "group": "app", "mode": "0640"}, Diff: true,
			Check: content("/etc/new.conf", "port=80\n"), Drift: write("/etc/new.conf", "broken"),
			Values: m{"dest": "/etc/new.conf", "src": "app.conf", "owner": "app", "group": "app", "uid": 700, "mode": "0640", "size": 8, "state": "file"},
		},
		"replaces":               {Host: full, Args: m{"src": "app.conf", "dest": "/etc/app.conf", "validate": "check %s"}, Diff: true, Check: content("/etc/app.conf", "port=80\n"), Values: m{"mode": "0600"}},
		"same content, new mode": {Host: full, Args: m{"content": "port=81\n", "dest": "/etc/app.conf", "mode": "u=rw,go=r"}, Values: m{"mode": "0644"}},
		"unchanged":              {Host: full, Args: m{"content": "port=81\n", "dest": "/etc/app.conf", "mode": 600}, Unchanged: true, Values: m{"mode": "0600", "size": 8}},
		"refused by validate":    {Host: full, Args: m{"src": "app.conf", "dest": "/etc/app.conf", "validate": "refuse %s"}, WantErr: "no good"},
		"validator is missing":   {Host: full, Args: m{"src": "app.conf", "dest": "/etc/app.conf", "validate": "not-installed %s"}, WantErr: "not-installed"},
		"into a directory":       {Host: full, Args: m{"src": "app.conf", "dest": "/opt"}, Check: content("/opt/app.conf", "port=80\n"), Values: m{"dest": "/opt/app.conf"}},
		"into a new directory":   {Host: empty, Args: m{"src": "app.conf", "dest": "/opt/a/b/", "directory_mode": "0700"}, Check: content("/opt/a/b/app.conf", "port=80\n")},
		"no parent":              {Host: empty, Args: m{"src": "app.conf", "dest": "/opt/a/b"}, WantErr: "the directory /opt/a, to write b in, does not exist"},
		"content into directory": {Host: empty, Args: m{"content": "x", "dest": "/opt"}, WantErr: "name the file to write"},
		"force false":            {Host: full, Args: m{"src": "app.conf", "dest": "/etc/app.conf", "force": false, "mode": "0777"}, Unchanged: true, Check: content("/etc/app.conf", "port=81\n")},
		"link is replaced": {Host: full, Args: m{"content": "new", "dest": "/opt/link"}, Check: func(t *testing.T, r host.Reader, _ string) {
			content("/opt/real", "old")(t, r, "")
			content("/opt/link", "new")(t, r, "")
		}},
		"link is followed": {Host: full, Args: m{"content": "new", "dest": "/opt/link", "follow": true}, Check: content("/opt/real", "new")},
		"mode preserve":    {Host: empty, Args: m{"src": "tool", "dest": "/usr/bin/tool", "mode": "preserve"}, Values: m{"mode": "0750"}},
		"map as content":   {Host: empty, Args: m{"content": m{"b": 1, "a": []any{true, "x"}}, "dest": "/etc/f.json"}, Check: content("/etc/f.json", `{"a":[true,"x"],"b":1}`)},
		"tree": {
			Host: full, Args: m{"src": "tree", "dest": "/opt/new/place", "mode": "preserve", "owner": "app"},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				w.Remove("/opt/new/place/tree/sub/b")
				w.Chmod("/opt/new/place/tree/a", 0o666)
				w.Remove("/opt/new/place/tree/empty")
			},
			Check: func(t *testing.T, r host.Reader, _ string) {
				content("/opt/new/place/tree/sub/b", "b")(t, r, "")
				content("/opt/new/place/tree/link", "b")(t, r, "")
				if i, err := r.Lstat("/opt/new/place/tree/sub/b"); err != nil || i.Mode != 0o755 || i.UID != 700 {
					t.Fatalf("%+v %v", i, err)
				}
				if i, err := r.Lstat("/opt/new/place/tree/empty"); err != nil || i.Type != host.Directory || i.Mode != 0o755 {
					t.Fatalf("%+v %v", i, err)
				}
			},
		},
		"tree with links, real": {
			Args: m{"src": "tree/", "dest": "$DIR/d", "local_follow": false},
			Check: func(t *testing.T, r host.Reader, dir string) {
				if i, err := r.Lstat(dir + "/d/link"); err != nil || i.Target != "sub/b" {
					t.Fatalf("%+v %v", i, err)
				}
				content("$DIR/d/a", "a")(t, r, dir)
			},
			Drift: write("$DIR/d/a", "z"),
		},
		"a file where a directory belongs": {Host: full, Args: m{"src": "tree/", "dest": "/etc/app.conf"}, WantErr: "a directory is needed"},
		"real file":                        {Args: m{"src": "app.conf", "dest": "$DIR/", "mode": "0600"}, Diff: true, Values: m{"mode": "0600", "dest": "$DIR/app.conf"}, Drift: write("$DIR/app.conf", "x")},
		"remote file":                      {Host: full, Args: m{"src": "/opt/src/x", "dest": "/opt/dst/", "remote_src": true, "mode": "preserve"}, Check: content("/opt/dst/x", "x"), Values: m{"mode": "0700"}},
		"remote tree":                      {Host: full, Args: m{"src": "/opt/src", "dest": "/opt/dst", "remote_src": true}, Check: content("/opt/dst/src/l", "x")},
		"remote missing":                   {Host: full, Args: m{"src": "/opt/none", "dest": "/opt/dst", "remote_src": true}, WantErr: "/opt/none is not on the host"},
		"remote checksum":                  {Host: full, Args: m{"src": "/opt/src/x", "dest": "/opt/dst", "remote_src": true, "checksum": "00"}, WantErr: "not the expected 00"},
	}
	for name, c := range cases {
		c.Module, c.Controller = copy.Module(), project(t)
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// An unchanged file does not cross the connection.
func TestUnchangedContentStays(t *testing.T) {
	h, ctl := modulestest.NewHost(t), project(t)
	for range 2 {
		run(t, ctl, h, m{"src": "app.conf", "dest": "/etc/app.conf"}, modules.Mode{})
	}
	if n := len(ctl.Opened()); n != 1 {
		t.Fatalf("content was asked for %d times", n)
	}
	// Of a tree only what differs.
	run(t, ctl, h, m{"src": "tree", "dest": "/opt"}, modules.Mode{})
	before := len(ctl.Opened())
	h.AddFile("/opt/tree/a", "z", 0o644)
	run(t, ctl, h, m{"src": "tree", "dest": "/opt"}, modules.Mode{})
	if n := len(ctl.Opened()) - before; n != 1 {
		t.Fatalf("%d files were asked for", n)
	}
}

func run(t *testing.T, ctl *modulestest.Controller, w host.Writer, args m, mode modules.Mode) modules.Result {
	t.Helper()
	mod := copy.Module()
	args, err := mod.Prepare(t.Context(), ctl, args)
	if err != nil {
		t.Fatal(err)
	}
	a, err := mod.Build(modules.Env{Blobs: ctl.Blobs(), TempDir: t.TempDir()}, args)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "copy", a, w, mode)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestReturnsHashes(t *testing.T) {
	h, ctl := modulestest.NewHost(t), project(t)
	for _, mode := range []modules.Mode{{Check: true}, {}, {}} {
		w := host.Writer(h)
		if mode.Check {
			w = host.NewShadow(h)
		}
		res := run(t, ctl, w, m{"content": "hello\n", "dest": "/etc/motd"}, mode)
		if res.Values["checksum"] != "f572d396fae9206628714fb2ce00f72e94f2258f" || res.Values["md5sum"] != "b1946ac92492d2347c6235b4d2611184" {
			t.Fatalf("%+v %v", mode, res.Values)
		}
	}
}

func TestBackup(t *testing.T) {
	h, ctl := modulestest.NewHost(t), project(t)
	h.AddFile("/etc/app.conf", "mine", 0o600)
	res := run(t, ctl, h, m{"src": "app.conf", "dest": "/etc/app.conf", "backup": true}, modules.Mode{})
	name, _ := res.Values["backup_file"].(string)
	if b, err := host.ReadFile(h, name); err != nil || string(b) != "mine" {
		t.Fatalf("%q: %q %v", name, b, err)
	}
}

// In a dry run, a package that is not installed yet may ship dest: that is a
// maybe, and later tasks see the file.
func TestPending(t *testing.T) {
	s, ctl := host.NewShadow(modulestest.NewHost(t)), project(t)
	host.NotePending(s, "nginx", "package nginx is not installed yet and may ship it")
	for _, args := range []m{
		{"src": "app.conf", "dest": "/etc/nginx/conf.d/app.conf"},
		{"src": "tree", "dest": "/etc/nginx/"},
	} {
		if res := run(t, ctl, s, args, modules.Mode{Check: true}); !strings.Contains(res.Unknown, "nginx is not installed yet") {
			t.Fatalf("%+v", res)
		}
	}
	content("/etc/nginx/conf.d/app.conf", "port=80\n")(t, s, "")
	content("/etc/nginx/tree/sub/b", "b")(t, s, "")
	if res := run(t, ctl, s, m{"src": "app.conf", "dest": "/etc/nginx/conf.d/app.conf"}, modules.Mode{Check: true}); res.Changed || res.Unknown != "" {
		t.Fatalf("%+v", res)
	}
}

// A validator that fails in a dry run, when it may be for want of what earlier
// tasks would have done, is a warning.
func TestValidateInDryRun(t *testing.T) {
	h, ctl := modulestest.NewHost(t), project(t)
	h.AddCommand([]string{"nginx", "-t", "-c", "*"}, host.Output{RC: 1, Stderr: []byte("conf.d/x not found")}, nil)
	s := host.NewShadow(h)
	if err := s.WriteFile("/etc/earlier", strings.NewReader(""), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	res := run(t, ctl, s, m{"src": "app.conf", "dest": "/etc/nginx.conf", "validate": "nginx -t -c %s"}, modules.Mode{Check: true})
	if !res.Changed || len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], "conf.d/x not found") {
		t.Fatalf("%+v", res)
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]m{
		"one of src and content is needed":        {"dest": "/f"},
		"src and content exclude each other":      {"dest": "/f", "src": "a", "content": "b"},
		"content and remote_src exclude":          {"dest": "/f", "content": "b", "remote_src": true},
		"mode: preserve keeps the mode of src":    {"dest": "/f", "content": "b", "mode": "preserve"},
		"dest must name the file":                 {"dest": "/f/", "content": "b"},
		`module copy has no option "_items"`:      {"dest": "/f", "content": "b", "_items": []any{}},
		`module copy needs the option "dest"`:     {"content": "b"},
		`did you mean "directory_mode"?`:          {"dest": "/f", "content": "b", "directry_mode": "0755"},
		"expected true or false, found string \"": {"dest": "/f", "content": "b", "backup": "perhaps"},
	} {
		if err := copy.Module().CheckArgs(args, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
	if _, err := copy.Module().Prepare(t.Context(), project(t), m{"src": "none", "dest": "/f"}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("missing source: %v", err)
	}
	if _, err := copy.Module().Prepare(t.Context(), project(t), m{"src": "app.conf", "dest": "/f", "checksum": "beef"}); err == nil || !strings.Contains(err.Error(), "not the expected beef") {
		t.Errorf("checksum: %v", err)
	}
}
