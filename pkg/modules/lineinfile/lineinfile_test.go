package lineinfile

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestConformance(t *testing.T) {
	sshd := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddUser("deploy", 1000, 1000)
		h.AddGroup("deploy", 1000)
		h.AddFile("/etc/ssh/sshd_config", "Port 22\n#PasswordAuthentication yes\n", 0o600)
		h.AddLink("ssh/sshd_config", "/etc/link")
		h.AddCommand([]string{"sshd", "-t", "-f", "*"}, host.Output{}, nil)
		h.AddCommand([]string{"refuse", "*"}, host.Output{RC: 1, Stderr: []byte("line 2: bad\n")}, nil)
	})
	password := map[string]any{"path": "/etc/ssh/sshd_config", "regexp": "^#?PasswordAuthentication", "line": "PasswordAuthentication no"}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range password {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	content := func(path, want string) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, dir string) {
			b, err := host.ReadFile(r, strings.ReplaceAll(path, "$DIR", dir))
			if err != nil || string(b) != want {
				t.Fatalf("%q, %v; want %q", b, err, want)
			}
		}
	}
	cases := map[string]modulestest.Case{
		"replaces": {
			Host: sshd, Args: with(map[string]any{"validate": "sshd -t -f %s", "owner": "deploy", "mode": "0644"}), Diff: true,
			Check:  content("/etc/ssh/sshd_config", "Port 22\nPasswordAuthentication no\n"),
			Values: map[string]any{"msg": "line replaced", "owner": "deploy", "group": "root", "mode": "0644", "backup": ""},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				w.WriteFile("/etc/ssh/sshd_config", strings.NewReader("Port 22\nPasswordAuthentication yes\n"), host.Attrs{})
			},
		},
		"mode only": {
			Host: sshd, Args: map[string]any{"path": "/etc/ssh/sshd_config", "line": "Port 22", "mode": "u=rw,g=r"},
			Values: map[string]any{"mode": "0640"},
		},
		"follows a link": {
			Host: sshd, Args: with(map[string]any{"path": "/etc/link"}),
			Check: content("/etc/ssh/sshd_config", "Port 22\nPasswordAuthentication no\n"),
		},
		"there already": {Host: sshd, Args: map[string]any{"path": "/etc/ssh/sshd_config", "line": "Port 22"}, Unchanged: true},
		"removes": {
			Host: sshd, Args: map[string]any{"path": "/etc/ssh/sshd_config", "regexp": "PasswordAuth", "state": "absent"},
			Check: content("/etc/ssh/sshd_config", "Port 22\n"), Values: map[string]any{"found": 1, "msg": "1 line(s) removed"},
		},
		"nothing to remove from": {Host: sshd, Args: map[string]any{"path": "/etc/none", "line": "x", "state": "absent"}, Unchanged: true},
		"no file":                {Host: sshd, Args: map[string]any{"path": "/etc/none", "line": "x"}, WantErr: "/etc/none does not exist"},
		"a directory":            {Host: sshd, Args: map[string]any{"path": "/etc", "line": "x"}, WantErr: "/etc is a directory"},
		"no such owner":          {Host: sshd, Args: with(map[string]any{"owner": "nobody-here"}), WantErr: "there is no user nobody-here"},
		"refused by validate":    {Host: sshd, Args: with(map[string]any{"validate": "refuse %s"}), WantErr: "line 2: bad"},
		"creates": {
			Args:  map[string]any{"path": "$DIR/new/dir/f", "line": "one", "create": true},
			Check: content("$DIR/new/dir/f", "one\n"), Values: map[string]any{"mode": "0644", "path": "$DIR/new/dir/f"},
		},
		"real files": {
			Dir: func(t *testing.T, dir string) {
				if err := host.NewReal().WriteFile(dir+"/f", strings.NewReader("a=1\nb=2"), host.Attrs{}); err != nil {
					t.Fatal(err)
				}
			},
			Args:  map[string]any{"dest": "$DIR/f", "value": "c=3\n", "insertafter": "^b", "mode": "0600"},
			Check: content("$DIR/f", "a=1\nb=2\nc=3\n"), Values: map[string]any{"mode": "0600", "size": 12},
		},
	}
	for name, c := range cases {
		c.Module = Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// A backup keeps the old file, under the name that is returned.
func TestBackup(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/f", "old\n", 0o640)
	a, err := Module().Build(modules.Env{TempDir: t.TempDir()}, map[string]any{"path": "/etc/f", "line": "new", "backup": true})
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "lineinfile", a, h, modules.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	name, _ := res.Values["backup_file"].(string)
	b, err := host.ReadFile(h, name)
	if err != nil || string(b) != "old\n" || res.Values["backup"] != name || !strings.HasPrefix(name, "/etc/f.") {
		t.Fatalf("%q %q %v", name, b, err)
	}
	if info, _ := h.Stat(name); info.Mode != 0o640 {
		t.Fatalf("mode %o", info.Mode)
	}
}

// While a package is pending that may ship the file, a dry run says maybe.
func TestPending(t *testing.T) {
	s := host.NewShadow(modulestest.NewHost(t))
	host.NotePending(s, "openssh-server", "package openssh-server is not installed yet and may ship it")
	a, err := Module().Build(modules.Env{}, map[string]any{"path": "/etc/ssh/sshd_config", "line": "x"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "lineinfile", a, s, modules.Mode{Check: true})
	if err != nil || !strings.Contains(res.Unknown, "openssh-server") {
		t.Fatalf("%+v %v", res, err)
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]map[string]any{
		"line is needed":                             {"path": "/f"},
		"one of line, regexp":                        {"path": "/f", "state": "absent"},
		"regexp and search_string exclude":           {"path": "/f", "line": "x", "regexp": "x", "search_string": "y"},
		"insertafter and insertbefore exclude":       {"path": "/f", "line": "x", "insertafter": "x", "insertbefore": "y"},
		"backrefs needs regexp":                      {"path": "/f", "line": "x", "backrefs": true},
		"use blockinfile":                            {"path": "/f", "line": "x\ny"},
		"validate must contain %s":                   {"path": "/f", "line": "x", "validate": "true"},
		"which the regular expressions here (RE2)":   {"path": "/f", "line": "x", "regexp": "a(?!b)"},
		`the pattern "(" is wrong`:                   {"path": "/f", "line": "x", "regexp": "("},
		`"maybe" is not one of present, absent`:      {"path": "/f", "line": "x", "state": "maybe"},
		`module lineinfile has no option "backref"`:  {"path": "/f", "line": "x", "backref": "yes"},
		`"rwx" is not a mode: write "0644" or u=rw,`: {"path": "/f", "line": "x", "mode": "rwx"},
	} {
		if err := Module().CheckArgs(args, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
}

// parse decodes options as the engine does.
func parse(t testing.TB, more map[string]any) *args {
	t.Helper()
	var got *args
	m := modules.Define(modules.Spec{Name: "lineinfile"}, func(_ modules.Env, a *args) (modules.Action, error) {
		got = a
		return nil, nil
	})
	more["path"] = "/f"
	if _, err := m.Build(modules.Env{}, more); err != nil {
		t.Skipf("%v: %v", more, err)
	}
	return got
}

func TestInsert(t *testing.T) {
	type m = map[string]any
	cases := []struct {
		name, text string
		args       m
		want, msg  string
	}{
		{"end", "a\nb\n", m{"line": "c"}, "a\nb\nc\n", "line added"},
		{"empty", "", m{"line": "c"}, "c\n", "line added"},
		{"no newline at the end", "a", m{"line": "c"}, "a\nc\n", "line added"},
		{"there, no newline", "a\nc", m{"line": "c"}, "a\nc", ""},
		{"crlf is the same line", "a\r\nc\r\n", m{"line": "a"}, "a\r\nc\r\n", ""},
		{"BOF before", "a\n", m{"line": "c", "insertbefore": "BOF"}, "c\na\n", "line added"},
		{"BOF after", "a\n", m{"line": "c", "insertafter": "BOF"}, "c\na\n", "line added"},
		{"EOF", "a\nb\n", m{"line": "c", "insertafter": "EOF"}, "a\nb\nc\n", "line added"},
		{"after last", "x1\nx2\ny\n", m{"line": "c", "insertafter": "^x"}, "x1\nx2\nc\ny\n", "line added"},
		{"after first", "x1\nx2\ny\n", m{"line": "c", "insertafter": "^x", "firstmatch": true}, "x1\nc\nx2\ny\n", "line added"},
		{"before last", "x1\nx2\ny\n", m{"line": "c", "insertbefore": "^x"}, "x1\nc\nx2\ny\n", "line added"},
		{"after without match", "a\n", m{"line": "c", "insertafter": "zzz"}, "a\nc\n", "line added"},
		{"after the last line", "a", m{"line": "c", "insertafter": "a"}, "a\nc\n", "line added"},
		{"dollar", "foo\nfoobar\n", m{"line": "c", "regexp": "foo$"}, "c\nfoobar\n", "line replaced"},
		{"python end", "foo\nfoobar\n", m{"line": "c", "regexp": `foo\Z`}, "c\nfoobar\n", "line replaced"},
		{"last match", "k=1\nk=2\n", m{"line": "k=3", "regexp": "^k="}, "k=1\nk=3\n", "line replaced"},
		{"first match", "k=1\nk=2\n", m{"line": "k=3", "regexp": "^k=", "firstmatch": true}, "k=3\nk=2\n", "line replaced"},
		{"no match, there", "a\nk\n", m{"line": "k", "regexp": "^zzz"}, "a\nk\n", ""},
		{"search_string", "a.b\naxb\n", m{"line": "c", "search_string": "a.b"}, "c\naxb\n", "line replaced"},
		{"backrefs", "user=root # note\n", m{"line": `\1deploy\2`, "regexp": `^(user=)\w+(.*)$`, "backrefs": true}, "user=deploy # note\n", "line replaced"},
		{"named backrefs", "a=1\n", m{"line": `\g<k>=2`, "regexp": `^(?P<k>\w)=`, "backrefs": true}, "a=2\n", "line replaced"},
		{"backrefs without match", "a\n", m{"line": `\1`, "regexp": `^(z)`, "backrefs": true}, "a\n", ""},
		{"no expansion without backrefs", "a\n", m{"line": `\1`, "regexp": `^(a)`}, "\\1\n", "line replaced"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, msg, err := insert([]byte(c.text), parse(t, c.args))
			if err != nil || string(got) != c.want || msg != c.msg {
				t.Fatalf("%q %q %v, want %q %q", got, msg, err, c.want, c.msg)
			}
		})
	}
	if _, _, err := insert([]byte("a\n"), parse(t, m{"line": `\2`, "regexp": `(a)`, "backrefs": true})); err == nil {
		t.Fatal("a group that is not there was taken for empty")
	}
}

// Editing twice is editing once, as long as the line matches its own pattern
// or there is none. Other lines stay as they are.
func FuzzInsertIsIdempotent(f *testing.F) {
	f.Add("a\nb\n", "c", "^a", "", false, 0)
	f.Add("k=1\nk=2", "k=3", "^k=", "k", true, 1)
	f.Add("\r\n\n", "", "x", "", true, 2)
	f.Fuzz(func(t *testing.T, text, line, pattern, anchor string, first bool, kind int) {
		if strings.ContainsAny(line, "\r\n") {
			t.Skip()
		}
		opts := map[string]any{"line": line, "firstmatch": first}
		if anchor != "" {
			opts[[]string{"insertafter", "insertbefore"}[kind&1]] = anchor
		}
		if kind&2 != 0 && pattern != "" {
			opts["regexp"] = pattern
		}
		a := parse(t, opts)
		if re := a.Regexp.Regexp(); re != nil && !re.MatchString(line) {
			t.Skip()
		}
		once, msg, err := insert([]byte(text), a)
		if err != nil {
			t.Fatal(err)
		}
		if changed := msg != ""; changed == (string(once) == text) {
			t.Fatalf("msg %q, but the text went from %q to %q", msg, text, once)
		}
		twice, msg, err := insert(once, a)
		if err != nil || string(twice) != string(once) || msg != "" {
			t.Fatalf("once %q, twice %q %q %v", once, twice, msg, err)
		}
		gone, n := remove(once, parse(t, map[string]any{"line": line, "state": "absent"}))
		if again, m := remove(gone, a); a.Regexp.Regexp() == nil && (m != 0 || string(again) != string(gone) || n == 0) {
			t.Fatalf("removed %d, then %d: %q %q", n, m, gone, again)
		}
	})
}
