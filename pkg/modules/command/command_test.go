package command

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                          nil,
		"  ls  -l ":                 {"ls", "-l"},
		`echo 'a b' "c d" e\ f`:     {"echo", "a b", "c d", "e f"},
		`echo "" ''`:                {"echo", "", ""},
		`a"b"'c'd`:                  {"abcd"},
		`"a\"b" "a\\b" "a\nb" 'x\'`: {`a"b`, `a\b`, `a\nb`, `x\`},
		"a\nb":                      {"a", "b"},
	} {
		got, err := Words(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`a 'b`, `a "b`, `a \`} {
		if _, err := Words(line); err == nil {
			t.Errorf("%q is fine", line)
		}
	}
}

func FuzzQuoteIsReadBack(f *testing.F) {
	for _, s := range []string{"", "a b", "it's", `\`, "\n", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Words(Quote(s))
		if err != nil || len(got) != 1 || got[0] != s {
			t.Errorf("%q became %q, %v", s, got, err)
		}
	})
}

func TestExpand(t *testing.T) {
	env := modules.Env{Environ: []string{"HOME=/home/x", "A=1", "A=2", "EMPTY="}}
	for in, want := range map[string]string{
		"$A": "2", "${A}b": "2b", "x$NOPE": "x$NOPE", "[$EMPTY]": "[]", "~": "/home/x", "~/a": "/home/x/a", "a~": "a~", "$": "$",
	} {
		if got := Expand(env, in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLinesAndDelta(t *testing.T) {
	if got := Lines("a\r\n\nb\n"); !value.Equal(got, []any{"a", "", "b"}) {
		t.Errorf("%q", got)
	}
	if got := Lines(""); got == nil || len(got) != 0 {
		t.Errorf("%q", got)
	}
	for d, want := range map[time.Duration]string{
		1500 * time.Microsecond: "0:00:00.001500", 3723 * time.Second: "1:02:03.000000", 25 * time.Hour: "1 day, 1:00:00.000000",
		72 * time.Hour: "3 days, 0:00:00.000000",
	} {
		if got := Delta(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestCommand(t *testing.T) {
	out := host.Output{Stdout: []byte("one\ntwo\n\n"), Stderr: []byte("hm\n")}
	make := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddCommand([]string{"/bin/make", "a b"}, out, func(h *modulestest.Host) { h.AddFile("/etc/made.conf", "", 0o644) })
		h.AddCommand([]string{"/bin/fail"}, host.Output{RC: 3}, func(*modulestest.Host) {})
		h.AddMissing("nope")
		h.AddDir("/srv/d", 0o755)
		h.AddFile("/srv/d/.hidden", "", 0o644)
	})
	for name, c := range map[string]modulestest.Case{
		"runs": {Args: map[string]any{"cmd": "/bin/make 'a b'"}, Maybe: true, Repeats: true,
			Values: map[string]any{"rc": 0, "stdout": "one\ntwo", "stdout_lines": []any{"one", "two"}, "stderr": "hm", "cmd": []any{"/bin/make", "a b"}}},
		"argv": {Args: map[string]any{"argv": []any{"/bin/make", "a b"}, "strip_empty_ends": false}, Maybe: true, Repeats: true,
			Values: map[string]any{"stdout": "one\ntwo\n\n"}},
		"creates once": {Args: map[string]any{"cmd": "/bin/make 'a b'", "creates": "/etc/made.*"}, Maybe: true,
			Values: map[string]any{"rc": 0}},
		"creates is there": {Args: map[string]any{"cmd": "/bin/make", "creates": "/etc/passwd"}, Unchanged: true,
			Values: map[string]any{"rc": 0, "stdout": "skipped, since /etc/passwd exists", "msg": "Did not run command since '/etc/passwd' exists"}},
		"creates from chdir":     {Args: map[string]any{"cmd": "/bin/make", "chdir": "/etc", "creates": "pass*"}, Unchanged: true},
		"removes is gone":        {Args: map[string]any{"cmd": "/bin/make", "removes": "/etc/nope/*"}, Unchanged: true},
		"dot files do not match": {Args: map[string]any{"cmd": "/bin/make", "removes": "/srv/d/*"}, Unchanged: true},
		"fails":                  {Args: map[string]any{"cmd": "/bin/fail"}, Maybe: true, WantErr: "non-zero return code"},
		"not there":              {Args: map[string]any{"cmd": "nope"}, Maybe: true, WantErr: "there is no command nope"},
	} {
		c.Module, c.Host = Module(), make
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// A failed command gives all its return values, and an unrun one none.
func TestReturnValues(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddCommand([]string{"/bin/fail"}, host.Output{RC: 3, Stdout: []byte("x")}, func(*modulestest.Host) {})
	a, err := Module().Build(modules.Env{}, map[string]any{"cmd": "/bin/fail"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = modules.Execute(t.Context(), "command", a, h, modules.Mode{})
	var f *modules.Failure
	if !errors.As(err, &f) || f.Values["rc"] != 3 || f.Values["stdout"] != "x" {
		t.Errorf("%v", err)
	}
	shadow := host.NewShadow(h)
	res, err := modules.Execute(t.Context(), "command", a, shadow, modules.Mode{Check: true})
	if _, unknown := res.Values["rc"].(value.Unknown); err != nil || !unknown {
		t.Errorf("%v, %v", res, err)
	}
	if _, err := shadow.Lstat("/etc/made"); err == nil {
		t.Error("what is not there is there")
	} else if _, unknown := host.IsUnknown(err); !unknown {
		t.Errorf("what the command may make: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"nothing": {}, "both": {"cmd": "a", "argv": []any{"a"}}, "blank": {"cmd": " "}, "typo": {"cmd": "a", "create": "/x"},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
