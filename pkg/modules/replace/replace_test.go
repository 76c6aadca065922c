package replace

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

type m = map[string]any

func TestConformance(t *testing.T) {
	hosts := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddFile("/etc/hosts", "10.0.0.1 old.example.com old\n10.0.0.2 old.example.com\n", 0o644)
	})
	cases := map[string]modulestest.Case{
		"replaces": {
			Host: hosts, Diff: true,
			Args: m{"path": "/etc/hosts", "regexp": `(\s+)old\.example\.com(\s+.*)?$`, "replace": `\1new.example.com\2`, "mode": "0640"},
			Check: func(t *testing.T, r host.Reader, _ string) {
				if b, _ := host.ReadFile(r, "/etc/hosts"); string(b) != "10.0.0.1 new.example.com old\n10.0.0.2 new.example.com\n" {
					t.Fatalf("%q", b)
				}
			},
			Values: m{"msg": "2 replacements made", "mode": "0640"},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				w.Chmod("/etc/hosts", 0o666)
			},
		},
		"nothing to replace": {Host: hosts, Args: m{"path": "/etc/hosts", "regexp": "zzz"}, Unchanged: true},
		"no file":            {Host: hosts, Args: m{"path": "/etc/none", "regexp": "zzz"}, WantErr: "/etc/none does not exist"},
		"no group":           {Host: hosts, Args: m{"path": "/etc/hosts", "regexp": "old", "replace": `\7`}, WantErr: "has no group 7"},
		"real files": {
			Dir: func(t *testing.T, dir string) {
				if err := host.NewReal().WriteFile(dir+"/f", strings.NewReader("a=1\n"), host.Attrs{}); err != nil {
					t.Fatal(err)
				}
			},
			Args: m{"path": "$DIR/f", "regexp": "^a=.*", "replace": "a=2"}, Values: m{"size": 4},
		},
	}
	for name, c := range cases {
		c.Module = Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// An edit that would change its own result is done, with a warning; it is no
// defect of the module.
func TestUnsteady(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/f", "a\n", 0o644)
	a, err := Module().Build(modules.Env{}, m{"path": "/etc/f", "regexp": "a", "replace": "aa"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "replace", a, h, modules.Mode{})
	if err != nil || !res.Changed || len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], "change its own result") {
		t.Fatalf("%+v %v", res, err)
	}
	if b, _ := host.ReadFile(h, "/etc/f"); string(b) != "aa\n" {
		t.Fatalf("%q", b)
	}
}

func TestEdit(t *testing.T) {
	cases := []struct {
		name, text, regexp, replace, after, before string
		want, msg                                  string
	}{
		{"every line", "a1\na2\n", `^a(\d)$`, `b\1`, "", "", "b1\nb2\n", "2 replacements made"},
		{"removes", "a1\na2\n", `^a1\n`, ``, "", "", "a2\n", "1 replacements made"},
		{"after", "x\nm\nx\n", `x`, `y`, `m`, "", "x\nm\ny\n", "1 replacements made"},
		{"before", "x\nm\nx\nm\nx\n", `x`, `y`, "", "m", "y\nm\ny\nm\nx\n", "2 replacements made"},
		{"between", "x\n[a]\nx\n[b]\nx\n", `x`, `y`, `\[a\]`, `\[b\]`, "x\n[a]\ny\n[b]\nx\n", "1 replacements made"},
		{"named", "k=v", `(?P<k>\w)=(?P<v>\w)`, `\g<v>=\g<k>`, "", "", "v=k", "1 replacements made"},
		{"escapes", "a", `a`, `\\ \n \t \g<0>`, "", "", "\\ \n \t a", "1 replacements made"},
		{"optional group", "ac", `a(b)?c`, `[\1]`, "", "", "[]", "1 replacements made"},
		{"no section", "x", `x`, `y`, "zzz", "", "x", "Pattern for before/after params did not match"},
		{"none", "x", `y`, `z`, "", "", "x", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			compile := func(s string) *regexp.Regexp {
				if s == "" {
					return nil
				}
				re, err := files.Compile(s)
				if err != nil {
					t.Fatal(err)
				}
				return re
			}
			between, err := section(compile(c.after), compile(c.before))
			if err != nil {
				t.Fatal(err)
			}
			got, msg, err := edit([]byte(c.text), regexp.MustCompile("(?m)"+c.regexp), between, c.replace)
			if err != nil || string(got) != c.want || !strings.HasPrefix(msg, c.msg) || c.msg == "" && msg != "" {
				t.Fatalf("%q %q %v, want %q %q", got, msg, err, c.want, c.msg)
			}
		})
	}
}

// Once a replacement no longer matches, a second edit does nothing; text
// outside the matches stays.
func FuzzEditIsIdempotent(f *testing.F) {
	f.Add("a b a\n", "a", "c")
	f.Add("x=1\ny=2\n", `(?P<k>\w)=\d`, "k")
	f.Fuzz(func(t *testing.T, text, pattern, with string) {
		re, err := regexp.Compile("(?m)" + pattern)
		if err != nil || strings.Contains(with, `\`) || re.MatchString("") {
			t.Skip()
		}
		once, msg, err := edit([]byte(text), re, nil, with)
		if err != nil {
			t.Fatal(err)
		}
		if want := re.ReplaceAllLiteral([]byte(text), []byte(with)); !bytes.Equal(once, want) {
			t.Fatalf("%q, want %q", once, want)
		}
		if (msg != "") != re.MatchString(text) {
			t.Fatalf("msg %q", msg)
		}
		if re.Match(once) {
			t.Skip()
		}
		if twice, msg, _ := edit(once, re, nil, with); !bytes.Equal(twice, once) || msg != "" {
			t.Fatalf("once %q, twice %q", once, twice)
		}
	})
}
