package blockinfile

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

type m = map[string]any

func TestConformance(t *testing.T) {
	hosts := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddFile("/etc/hosts", "127.0.0.1 localhost\n", 0o644)
		h.AddFile("/etc/with", "a\n# BEGIN ANSIBLE MANAGED BLOCK\nx\n# END ANSIBLE MANAGED BLOCK\nb\n", 0o644)
	})
	content := func(path, want string) func(*testing.T, host.Reader, string) {
		return func(t *testing.T, r host.Reader, dir string) {
			b, err := host.ReadFile(r, strings.ReplaceAll(path, "$DIR", dir))
			if err != nil || string(b) != want {
				t.Fatalf("%q, %v; want %q", b, err, want)
			}
		}
	}
	cases := map[string]modulestest.Case{
		"inserts": {
			Host: hosts, Args: m{"path": "/etc/hosts", "block": "10.0.0.1 a\n10.0.0.2 b", "mode": "0600"}, Diff: true,
			Check:  content("/etc/hosts", "127.0.0.1 localhost\n# BEGIN ANSIBLE MANAGED BLOCK\n10.0.0.1 a\n10.0.0.2 b\n# END ANSIBLE MANAGED BLOCK\n"),
			Values: m{"msg": "Block inserted", "mode": "0600"},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				b, _ := host.ReadFile(w, "/etc/hosts")
				w.WriteFile("/etc/hosts", strings.NewReader(strings.Replace(string(b), "10.0.0.2 b\n", "", 1)), host.Attrs{})
			},
		},
		"removes":         {Host: hosts, Args: m{"path": "/etc/with", "state": "absent"}, Check: content("/etc/with", "a\nb\n"), Values: m{"msg": "Block removed"}},
		"empty removes":   {Host: hosts, Args: m{"path": "/etc/with", "block": ""}, Check: content("/etc/with", "a\nb\n")},
		"nothing to do":   {Host: hosts, Args: m{"path": "/etc/with", "block": "x"}, Unchanged: true},
		"nothing there":   {Host: hosts, Args: m{"path": "/etc/none", "state": "absent", "create": true}, Unchanged: true},
		"no file":         {Host: hosts, Args: m{"path": "/etc/none", "block": "x"}, WantErr: "/etc/none does not exist"},
		"creates":         {Args: m{"path": "$DIR/f", "block": "x", "create": true, "marker": "; {mark} x"}, Check: content("$DIR/f", "; BEGIN x\nx\n; END x\n"), Values: m{"msg": "File created", "mode": "0644"}},
		"creates nothing": {Args: m{"path": "$DIR/f", "create": true, "mode": "0600"}, Values: m{"size": 0, "mode": "0600"}},
	}
	for name, c := range cases {
		c.Module = Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestOptions(t *testing.T) {
	for says, args := range map[string]m{
		"marker must contain {mark}":           {"path": "/f", "marker": "# x"},
		"marker_begin and marker_end must":     {"path": "/f", "marker_begin": "x", "marker_end": "x"},
		"the block holds its own marker":       {"path": "/f", "block": "a\n# END ANSIBLE MANAGED BLOCK\n"},
		"a marker is one line":                 {"path": "/f", "marker": "#\n{mark}"},
		"insertafter and insertbefore exclude": {"path": "/f", "insertafter": "a", "insertbefore": "b"},
	} {
		if err := Module().CheckArgs(args, nil); !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
}

func parse(t testing.TB, more m) *args {
	t.Helper()
	var got *args
	mod := modules.Define(modules.Spec{Name: "blockinfile"}, func(_ modules.Env, a *args) (modules.Action, error) {
		got = a
		return nil, nil
	})
	more["path"], more["marker"] = "/f", "# {mark}"
	if _, err := mod.Build(modules.Env{}, more); err != nil {
		t.Skipf("%v: %v", more, err)
	}
	return got
}

func TestEdit(t *testing.T) {
	cases := []struct {
		name, text string
		args       m
		want       string
	}{
		{"end", "a", m{"block": "x"}, "a\n# BEGIN\nx\n# END\n"},
		{"BOF", "a\n", m{"block": "x\n", "insertbefore": "BOF"}, "# BEGIN\nx\n# END\na\n"},
		{"after last match", "a1\na2\nb\n", m{"block": "x", "insertafter": "^a"}, "a1\na2\n# BEGIN\nx\n# END\nb\n"},
		{"before last match", "a1\na2\nb\n", m{"block": "x", "insertbefore": "^a"}, "a1\n# BEGIN\nx\n# END\na2\nb\n"},
		{"no match", "a\n", m{"block": "x", "insertafter": "zz"}, "a\n# BEGIN\nx\n# END\n"},
		{"stays in place", "a\n# BEGIN\nold\nolder\n# END\nb\n", m{"block": "x", "insertbefore": "BOF"}, "a\n# BEGIN\nx\n# END\nb\n"},
		{"last pair", "# BEGIN\n1\n# END\n# BEGIN\n2\n# END\n", m{"block": "x"}, "# BEGIN\n1\n# END\n# BEGIN\nx\n# END\n"},
		{"an end before the beginning is no pair", "# END\nkeep\n# BEGIN\n", m{"block": "x"}, "# END\nkeep\n# BEGIN\n# BEGIN\nx\n# END\n"},
		{"end without newline", "# BEGIN\n1\n# END", m{"block": "x"}, "# BEGIN\nx\n# END\n"},
		{"newlines around", "a\nb\n", m{"block": "x", "insertafter": "a", "append_newline": true, "prepend_newline": true}, "a\n\n# BEGIN\nx\n# END\n\nb\n"},
		{"newlines are there", "a\n\n# BEGIN\n1\n# END\n\nb\n", m{"block": "x", "append_newline": true, "prepend_newline": true}, "a\n\n# BEGIN\nx\n# END\n\nb\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, msg := edit([]byte(c.text), parse(t, c.args))
			if string(got) != c.want || msg != "Block inserted" {
				t.Fatalf("%q %q, want %q", got, msg, c.want)
			}
		})
	}
}

// Editing twice is editing once, and removing what was inserted gives back all
// other lines.
func FuzzEditIsIdempotent(f *testing.F) {
	f.Add("a\nb", "x\ny", "^a", false, 0)
	f.Add("# END\n# BEGIN\n", "x", "", true, 3)
	f.Fuzz(func(t *testing.T, text, block, anchor string, newlines bool, kind int) {
		opts := m{"block": block, "append_newline": newlines, "prepend_newline": newlines}
		if anchor != "" {
			opts[[]string{"insertafter", "insertbefore"}[kind&1]] = anchor
		}
		a := parse(t, opts)
		once, msg := edit([]byte(text), a)
		if (msg != "") == (string(once) == text) {
			t.Fatalf("msg %q, but %q became %q", msg, text, once)
		}
		if twice, msg := edit(once, a); string(twice) != string(once) || msg != "" {
			t.Fatalf("once %q, twice %q", once, twice)
		}
		if newlines || strings.Contains(text, "# BEGIN") || block == "" {
			return
		}
		gone, _ := edit(once, parse(t, m{"state": "absent"}))
		if strings.TrimSuffix(string(gone), "\n") != strings.TrimSuffix(text, "\n") {
			t.Fatalf("%q, with and without the block: %q", text, gone)
		}
	})
}
