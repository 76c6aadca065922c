package diag_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

func TestRender(t *testing.T) {
	files := map[string]string{
		"tabs.yml":    "a:\n\t\tb: c\n",
		"wide.yml":    "größe: {{ .x }}\nnext: 1\n",
		"dos.yml":     "one: 1\r\ntwo: 2\r\n",
		"notail.yml":  "one: 1\ntwo: 2",
		"control.yml": "a: \x1b[31mred\n",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
	for name, c := range map[string]struct {
		d    diag.Diagnostic
		want string
	}{
		"no place": {diag.Errorf(diag.Pos{}, "all is lost"), "error: all is lost\n"},
		"warning":  {diag.Diagnostic{Severity: diag.Warning, Message: "hm", Hint: "think"}, "warning: hm\n  help: think\n"},
		"tabs stay, so that the caret is under its character": {
			diag.Errorf(at("tabs.yml", 2, 3), "bad"), "error: bad\n  --> tabs.yml:2:3\n    2 | \t\tb: c\n      | \t\t^\n"},
		"columns count characters": {
			diag.Errorf(at("wide.yml", 1, 8), "quote it").WithHint("write it in quotes"),
			"error: quote it\n  --> wide.yml:1:8\n    1 | größe: {{ .x }}\n      |        ^\n  help: write it in quotes\n"},
		"line ends of DOS": {diag.Errorf(at("dos.yml", 2, 1), "x"), "error: x\n  --> dos.yml:2:1\n    2 | two: 2\n      | ^\n"},
		"last line without an end": {
			diag.Errorf(at("notail.yml", 2, 6), "x"), "error: x\n  --> notail.yml:2:6\n    2 | two: 2\n      |      ^\n"},
		"a line without a column":  {diag.Errorf(at("dos.yml", 1, 0), "x"), "error: x\n  --> dos.yml:1\n    1 | one: 1\n"},
		"a whole file":             {diag.Errorf(diag.Pos{File: "dos.yml"}, "x"), "error: x\n  --> dos.yml\n"},
		"a missing file":           {diag.Errorf(at("gone.yml", 1, 1), "x"), "error: x\n  --> gone.yml:1:1\n"},
		"a line beyond the end":    {diag.Errorf(at("notail.yml", 9, 1), "x"), "error: x\n  --> notail.yml:9:1\n"},
		"a column beyond the line": {diag.Errorf(at("notail.yml", 1, 99), "x"), "error: x\n  --> notail.yml:1:99\n    1 | one: 1\n      |       ^\n"},
		"control characters do nothing to the terminal": {
			diag.Errorf(at("control.yml", 1, 4), "x"), "error: x\n  --> control.yml:1:4\n    1 | a: ?[31mred\n      |    ^\n"},
		"more lines of a message are indented": {
			diag.Errorf(at("dos.yml", 1, 1), "first\nsecond"), "error: first\n  second\n  --> dos.yml:1:1\n    1 | one: 1\n      | ^\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var l diag.List
			l.Add(c.d)
			var out strings.Builder
			diag.Render(&out, l, read)
			if out.String() != c.want {
				t.Errorf("got:\n%q\nwant:\n%q", out.String(), c.want)
			}
		})
	}
}

func TestRenderAllInOrder(t *testing.T) {
	var l diag.List
	l.Errorf(at("b.yml", 1, 1), "second")
	l.Errorf(at("a.yml", 1, 1), "first")
	l.Errorf(at("a.yml", 1, 1), "first")
	var out strings.Builder
	diag.Render(&out, l, func(string) ([]byte, error) { return nil, errors.New("unreadable") })
	if want := "error: first\n  --> a.yml:1:1\nerror: second\n  --> b.yml:1:1\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func TestRenderReadsFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.yml")
	if err := os.WriteFile(path, []byte("key: value\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var l diag.List
	l.Errorf(at(path, 1, 6), "x")
	var out strings.Builder
	if diag.Render(&out, l, nil); !strings.Contains(out.String(), "    1 | key: value\n      |      ^\n") {
		t.Errorf("got %q", out.String())
	}
}
