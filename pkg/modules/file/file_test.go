package file

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

type m = map[string]any

func TestConformance(t *testing.T) {
	hosts := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddUser("app", 700, 700)
		h.AddGroup("app", 700)
		h.AddFile("/etc/f", "x", 0o644)
		h.AddFile("/opt/tree/a", "a", 0o600)
		h.AddFile("/opt/tree/sub/run", "b", 0o700)
		h.AddLink("../f", "/opt/tree/sub/link")
		h.AddFile("/opt/f", "target", 0o644)
		h.AddLink("tree", "/opt/current")
		h.AddLink("nowhere", "/opt/dangling")
		h.AddDir("/opt/empty", 0o755)
	})
	is := func(p string, typ host.FileType, mode uint32, uid, gid int) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, dir string) {
			t.Helper()
			i, err := r.Lstat(strings.ReplaceAll(p, "$DIR", dir))
			if err != nil || i.Type != typ || i.Mode != mode || uid >= 0 && (i.UID != uid || i.GID != gid) {
				t.Fatalf("%s: %+v, %v", p, i, err)
			}
		}
	}
	gone := func(p string) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, dir string) {
			t.Helper()
			if _, err := r.Lstat(strings.ReplaceAll(p, "$DIR", dir)); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("%s: %v", p, err)
			}
		}
	}
	leads := func(p, target string) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, dir string) {
			t.Helper()
			if i, err := r.Lstat(strings.ReplaceAll(p, "$DIR", dir)); err != nil || i.Target != strings.ReplaceAll(target, "$DIR", dir) {
				t.Fatalf("%s: %+v, %v", p, i, err)
			}
		}
	}
	all := func(checks ...func(*testing.T, host.Reader, string)) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, dir string) {
			t.Helper()
			for _, c := range checks {
				c(t, r, dir)
			}
		}
	}
	cases := map[string]modulestest.Case{
		"attributes": {
			Host: hosts, Args: m{"path": "/etc/f", "mode": "0640", "owner": "app", "group": "app"},
			Check:  is("/etc/f", host.File, 0o640, 700, 700),
			Values: m{"path": "/etc/f", "state": "file", "mode": "0640", "owner": "app", "group": "app", "uid": 700, "size": 1},
			Drift:  func(t *testing.T, w host.Writer, _ string) { w.Chown("/etc/f", 0, -1) },
		},
		"setuid survives a new owner": {Host: hosts, Args: m{"path": "/etc/f", "mode": "4755", "owner": "app"}, Check: is("/etc/f", host.File, 0o4755, 700, 0)},
		"unchanged":                   {Host: hosts, Args: m{"path": "/etc/f", "mode": 644, "owner": "root", "group": 0, "state": "file"}, Unchanged: true},
		"absent already":              {Host: hosts, Args: m{"path": "/etc/none", "state": "absent"}, Unchanged: true, Values: m{"state": "absent", "path": "/etc/none"}},
		"removes a tree":              {Host: hosts, Args: m{"path": "/opt/tree", "state": "absent"}, Check: gone("/opt/tree/a")},
		"removes a link only":         {Host: hosts, Args: m{"path": "/opt/current", "state": "absent"}, Check: is("/opt/tree/a", host.File, 0o600, 0, 0)},
		"not the root directory":      {Host: hosts, Args: m{"path": "/", "state": "absent"}, WantErr: "not removed"},
		"file must be there":          {Host: hosts, Args: m{"path": "/etc/none", "mode": "0644"}, WantErr: "/etc/none is not there"},
		"file is a directory":         {Host: hosts, Args: m{"path": "/etc", "state": "file"}, WantErr: "/etc is a directory"},
		"no such group":               {Host: hosts, Args: m{"path": "/etc/f", "group": "none"}, WantErr: "there is no group none"},
		"directory": {
			Host: hosts, Args: m{"path": "/opt/a/b/", "state": "directory", "mode": "u=rwx,g=rx,o=", "group": "app"},
			Check: all(is("/opt/a", host.Directory, 0o750, 0, 700), is("/opt/a/b", host.Directory, 0o750, 0, 700)), Values: m{"state": "directory", "path": "/opt/a/b", "mode": "0750"},
			Drift: func(t *testing.T, w host.Writer, _ string) { w.Remove("/opt/a/b") },
		},
		"directory through a link": {Host: hosts, Args: m{"path": "/opt/current", "state": "directory", "mode": "0700"}, Check: is("/opt/tree", host.Directory, 0o700, 0, 0)},
		"directory over a file":    {Host: hosts, Args: m{"path": "/etc/f", "state": "directory"}, WantErr: "/etc/f is a file"},
		"recurse": {
			Host: hosts, Args: m{"path": "/opt/tree", "recurse": true, "owner": "app", "mode": "u=rwX,go=rX"},
			Check: all(is("/opt/tree", host.Directory, 0o755, 700, 0), is("/opt/tree/a", host.File, 0o644, 700, 0), is("/opt/tree/sub/run", host.File, 0o755, 700, 0),
				is("/opt/tree/sub/link", host.Link, 0o777, 700, 0), is("/opt/f", host.File, 0o644, 0, 0)),
			Drift: func(t *testing.T, w host.Writer, _ string) { w.Chmod("/opt/tree/sub/run", 0o4711) },
		},
		"touch new":         {Host: hosts, Args: m{"path": "/opt/new", "state": "touch", "mode": "0600", "modification_time": "preserve", "access_time": "preserve"}, Check: is("/opt/new", host.File, 0o600, 0, 0)},
		"touch again":       {Host: hosts, Args: m{"path": "/etc/f", "state": "touch"}, Repeats: true, Check: is("/etc/f", host.File, 0o644, 0, 0)},
		"touch, no parent":  {Host: hosts, Args: m{"path": "/opt/x/new", "state": "touch"}, WantErr: "the directory /opt/x, to make new in, does not exist"},
		"fixed time":        {Args: m{"path": "$DIR", "modification_time": "202001020304.05"}},
		"link":              {Host: hosts, Args: m{"path": "/opt/l", "src": "f", "state": "link"}, Check: leads("/opt/l", "f"), Values: m{"dest": "/opt/l", "src": "f", "state": "link"}, Drift: func(t *testing.T, w host.Writer, _ string) { w.Symlink("tree", "/opt/l") }},
		"link is repointed": {Host: hosts, Args: m{"path": "/opt/current", "src": "/opt/empty", "state": "link"}, Check: leads("/opt/current", "/opt/empty")},
		"link attributes go to the target": {Host: hosts, Args: m{"path": "/opt/l", "src": "f", "state": "link", "mode": "0600", "owner": "app"},
			Check: all(is("/opt/f", host.File, 0o600, 700, 0), is("/opt/l", host.Link, 0o777, 0, 0))},
		"link attributes stay": {Host: hosts, Args: m{"path": "/opt/l", "src": "f", "state": "link", "owner": "app", "follow": false},
			Check: all(is("/opt/f", host.File, 0o644, 0, 0), is("/opt/l", host.Link, 0o777, 700, 0))},
		"link to nothing":           {Host: hosts, Args: m{"path": "/opt/l", "src": "none", "state": "link"}, WantErr: "/opt/none, which the link is to lead to, does not exist"},
		"link to nothing, forced":   {Host: hosts, Args: m{"path": "/opt/l", "src": "none", "state": "link", "force": true}, Check: leads("/opt/l", "none")},
		"link over a file":          {Host: hosts, Args: m{"path": "/etc/f", "src": "/opt/f", "state": "link"}, WantErr: "force=true would replace it"},
		"link over a file, forced":  {Host: hosts, Args: m{"path": "/etc/f", "src": "/opt/f", "state": "link", "force": true}, Check: leads("/etc/f", "/opt/f")},
		"link over a tree":          {Host: hosts, Args: m{"path": "/opt/tree", "src": "f", "state": "link", "force": true}, WantErr: "/opt/tree is not empty"},
		"link over empty directory": {Host: hosts, Args: m{"path": "/opt/empty", "src": "f", "state": "link", "force": true}, Check: leads("/opt/empty", "f")},
		"no src":                    {Host: hosts, Args: m{"path": "/opt/l", "state": "link"}, WantErr: "src is needed"},
		"a link as it is":           {Host: hosts, Args: m{"path": "/opt/dangling", "state": "link"}, Unchanged: true, Values: m{"src": "nowhere"}},
		"a link not followed":       {Host: hosts, Args: m{"path": "/opt/current", "follow": false, "owner": "app"}, Check: all(is("/opt/current", host.Link, 0o777, 700, 0), is("/opt/tree", host.Directory, 0o755, 0, 0))},
		"hard": {
			Host: hosts, Args: m{"path": "/opt/h", "src": "/opt/f", "state": "hard", "mode": "0600"},
			Check: all(is("/opt/h", host.File, 0o600, 0, 0), is("/opt/f", host.File, 0o600, 0, 0)), Values: m{"state": "hard", "src": "/opt/f", "dest": "/opt/h"},
		},
		"hard over another":         {Host: hosts, Args: m{"path": "/etc/f", "src": "/opt/f", "state": "hard"}, WantErr: "force=true"},
		"hard over another, forced": {Host: hosts, Args: m{"path": "/etc/f", "src": "/opt/f", "state": "hard", "force": true}},
		"hard to nothing":           {Host: hosts, Args: m{"path": "/opt/h", "src": "/opt/none", "state": "hard"}, WantErr: "/opt/none, which is to get another name"},

		"real directory": {Args: m{"path": "$DIR/a/b", "state": "directory", "mode": "2750"}, Check: is("$DIR/a/b", host.Directory, 0o2750, -1, -1)},
		"real link":      {Args: m{"path": "$DIR/l", "src": "$DIR", "state": "link"}, Check: leads("$DIR/l", "$DIR")},
		"real hard link": {Dir: put("f"), Args: m{"path": "$DIR/h", "src": "$DIR/f", "state": "hard"}, Drift: func(t *testing.T, w host.Writer, dir string) { w.Remove(dir + "/h") }},
		"real absent":    {Dir: put("f"), Args: m{"path": "$DIR/f", "state": "absent"}, Check: gone("$DIR/f")},
	}
	for name, c := range cases {
		c.Module = Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func put(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := host.NewReal().WriteFile(dir+"/"+name, strings.NewReader("x"), host.Attrs{}); err != nil {
			t.Fatal(err)
		}
	}
}

func execute(t *testing.T, w host.Writer, mode modules.Mode, args m) modules.Result {
	t.Helper()
	a, err := Module().Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "file", a, w, mode)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestTouchSetsTimes(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/f", "", 0o644)
	old := time.Unix(1e9, 0)
	if err := h.Chtimes("/f", old, old); err != nil {
		t.Fatal(err)
	}
	if res := execute(t, h, modules.Mode{}, m{"path": "/f", "state": "touch", "access_time": "preserve"}); !res.Changed {
		t.Fatal("touch says that nothing changed")
	}
	i, err := h.Stat("/f")
	if err != nil || !i.AccTime.Equal(old) || time.Since(i.ModTime) > time.Hour {
		t.Fatalf("%+v %v", i, err)
	}
	execute(t, h, modules.Mode{}, m{"path": "/f", "modification_time": "2020-01-02", "modification_time_format": "%Y-%m-%d"})
	if i, _ = h.Stat("/f"); i.ModTime.Format("20060102") != "20200102" {
		t.Fatalf("%v", i.ModTime)
	}
}

// In a dry run with something pending, the shadow shows later tasks what will
// be, and the task itself is a maybe.
func TestPending(t *testing.T) {
	s := host.NewShadow(modulestest.NewHost(t))
	host.NotePending(s, "nginx", "package nginx is not installed yet and may ship it")
	check := modules.Mode{Check: true}
	for _, args := range []m{
		{"path": "/etc/nginx/ssl", "state": "directory"},
		{"path": "/etc/nginx/sites-enabled/default", "state": "absent"},
		{"path": "/etc/nginx/l", "src": "ssl", "state": "link"},
		{"path": "/etc/nginx/nginx.conf", "mode": "0600"},
	} {
		if res := execute(t, s, check, args); !strings.Contains(res.Unknown, "nginx is not installed yet") {
			t.Fatalf("%v: %+v", args, res)
		}
	}
	for _, args := range []m{
		{"path": "/etc/nginx/ssl", "state": "directory"},
		{"path": "/etc/nginx/sites-enabled/default", "state": "absent"},
		{"path": "/etc/nginx/l", "src": "ssl", "state": "link"},
	} {
		if res := execute(t, s, check, args); res.Changed || res.Unknown != "" {
			t.Fatalf("%v: %+v", args, res)
		}
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]m{
		"recurse needs state=directory":         {"path": "/f", "state": "file", "recurse": true},
		"src is needed with state=hard":         {"path": "/f", "state": "hard"},
		"src is for state=link":                 {"path": "/f", "state": "directory", "src": "x"},
		`must be now, preserve or a time`:       {"path": "/f", "access_time": "yesterday"},
		`"%Q" is not understood`:                {"path": "/f", "access_time": "x", "access_time_format": "%Q"},
		`"dir" is not one of absent, directory`: {"path": "/f", "state": "dir"},
		"mode: preserve is for modules that":    {"path": "/f", "mode": "preserve"},
	} {
		if err := Module().CheckArgs(args, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
	if _, err := Module().Build(modules.Env{}, m{"path": "relative"}); err != nil {
		t.Fatal(err)
	}
}
