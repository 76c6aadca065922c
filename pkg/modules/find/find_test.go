package find

import (
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type m = map[string]any

var newHost = modulestest.NewTestHost(func(h *modulestest.Host) {
	h.AddFile("/srv/a.log", "one\ntwo\n", 0o644)
	h.AddFile("/srv/b.LOG", "", 0o600)
	h.AddFile("/srv/.hidden", "x", 0o644)
	h.AddFile("/srv/sub/c.log", strings.Repeat("x", 2048), 0o640)
	h.AddFile("/srv/sub/deep/d.log", "", 0o644)
	h.AddLink("sub", "/srv/link")
	h.AddFile("/opt/other/e.log", "", 0o644)
	h.AddLink("/opt/other", "/srv/away")
	old := time.Now().Add(-72 * time.Hour)
	if err := h.Chtimes("/srv/a.log", old, old); err != nil {
		panic(err)
	}
})

func TestFind(t *testing.T) {
	cases := []struct {
		name string
		args m
		want string
	}{
		{"files", m{}, "a.log b.LOG"},
		{"hidden", m{"hidden": true}, ".hidden a.log b.LOG"},
		{"directories", m{"file_type": "directory"}, "sub"},
		{"links", m{"file_type": "link"}, "away link"},
		{"any", m{"file_type": "any"}, "a.log away b.LOG link sub"},
		{"recurse", m{"recurse": true}, "a.log b.LOG c.log d.log"},
		{"depth", m{"recurse": true, "depth": 2}, "a.log b.LOG c.log"},
		{"follow", m{"recurse": true, "follow": true, "patterns": "e.*"}, "e.log"},
		{"pattern", m{"patterns": "*.log"}, "a.log"},
		{"patterns", m{"patterns": []any{"*.log", "b*"}}, "a.log b.LOG"},
		{"excludes", m{"patterns": "*", "excludes": "[a]*"}, "b.LOG"},
		{"regexes", m{"patterns": []any{`^b\.`, "zzz"}, "use_regex": true}, "b.LOG"},
		{"regex from the beginning", m{"patterns": "log", "use_regex": true}, ""},
		{"contains", m{"contains": "tw."}, "a.log"},
		{"contains from a line's beginning", m{"contains": "wo"}, ""},
		{"contains to a line's end", m{"contains": "one$"}, "a.log"},
		{"contains in the whole", m{"contains": `one\ntwo`, "read_whole_file": true}, "a.log"},
		{"old", m{"age": "2d"}, "a.log"},
		{"young", m{"age": "-2d"}, "b.LOG"},
		{"large", m{"size": "1k", "recurse": true}, "c.log"},
		{"small", m{"size": "-1"}, "b.LOG"},
		{"mode", m{"mode": "0600"}, "b.LOG"},
		{"mode among", m{"mode": "0044", "exact_mode": false}, "a.log"},
		{"symbolic mode", m{"mode": "u=rw,go=r"}, "a.log"},
		{"limit", m{"limit": 1}, "a.log"},
		{"missing", m{"paths": []any{"/none", "/srv/sub"}}, "c.log"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.args["paths"] == nil {
				c.args["paths"] = "/srv"
			}
			res := execute(t, newHost(t), c.args)
			var names []string
			for _, f := range res.Values["files"].([]any) {
				names = append(names, path.Base(f.(m)["path"].(string)))
			}
			if got := strings.Join(names, " "); got != c.want || res.Values["matched"] != len(names) {
				t.Fatalf("found %q, want %q; %v", got, c.want, res.Values)
			}
		})
	}
}

func execute(t *testing.T, w host.Writer, args m) modules.Result {
	t.Helper()
	if errs := Module().CheckArgs(args, nil); errs != nil {
		t.Fatal(errs)
	}
	a, err := Module().Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "find", a, w, modules.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestConformance(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: Module(), Host: newHost, Unchanged: true,
		Args:   m{"paths": "/srv,/none", "recurse": true, "get_checksum": true, "contains": "one"},
		Values: m{"matched": 1, "msg": "Not all paths examined, check warnings for details"},
	})
	res := execute(t, newHost(t), m{"paths": []any{"/srv/a.log", "/srv"}, "get_checksum": true, "patterns": "a*"})
	f := res.Values["files"].([]any)[0].(m)
	if f["checksum"] != "c708d7ef841f7e1748436b8ef5670d0b2de1a227" || f["mode"] != "0644" || f["isreg"] != true {
		t.Fatalf("%v", f)
	}
	if skipped := res.Values["skipped_paths"].(m); !value.Equal(skipped["/srv/a.log"], "'/srv/a.log' is not a directory") {
		t.Fatalf("%v", skipped)
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]m{
		`age is "2y"`:                    {"paths": "/", "age": "2y"},
		`size is "99999999999t"`:         {"paths": "/", "size": "99999999999t"},
		`patterns: the pattern "^(?:()"`: {"paths": "/", "patterns": "(", "use_regex": true},
		`needs the option "paths"`:       {},
	} {
		if errs := Module().CheckArgs(args, nil); !strings.Contains(errs.Error(), says) {
			t.Errorf("%v: %v, want %q", args, errs, says)
		}
	}
}

func TestShellPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"[ab]x", "bx", true}, {"[!ab]x", "bx", false}, {"[!ab]x", "cx", true}, {"[a-c]", "b", true},
		{"[]]", "]", true}, {"[^a]", "^", true}, {"[^a]", "b", false}, {"[", "[", true}, {`[\]`, `\`, true}, {"a.b", "axb", false},
	} {
		if got := regexp.MustCompile(shell(c.pattern)).MatchString(c.name); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.name, got)
		}
	}
}

// A shell pattern means the same as to path.Match, where that understands it.
func FuzzShellPattern(f *testing.F) {
	for _, p := range []string{"*.log", "a?", "é*", "a.b+c", "**"} {
		f.Add(p, "a.log")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.ContainsAny(pattern, `[\/`) || strings.Contains(name, "/") {
			t.Skip()
		}
		want, err := path.Match(pattern, name)
		if err != nil {
			t.Skip()
		}
		re, err := regexp.Compile(shell(pattern))
		if err != nil {
			t.Skip()
		}
		if got := re.MatchString(name); got != want {
			t.Fatalf("%q and %q: %v, want %v (%s)", pattern, name, got, want, re)
		}
	})
}
