package script

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestScript(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("make it.sh", "#!/bin/sh\necho \"made $1 and $2\"; touch \"$1\"\n")
	write("plain", "echo plain; exit 4\n")
	ctl := &modulestest.Controller{Dir: dir}
	for name, c := range map[string]modulestest.Case{
		"runs": {Args: map[string]any{"cmd": "'make it.sh' $DIR/made 'a b'", "creates": "$DIR/made"}, Maybe: true,
			Values: map[string]any{"rc": 0, "stdout": "made $DIR/made and a b\n", "stdout_lines": []any{"made $DIR/made and a b"}}},
		"interpreter and failure": {Args: map[string]any{"cmd": "plain", "executable": "/bin/sh"}, Maybe: true, WantErr: "non-zero return code"},
		"nothing to do":           {Args: map[string]any{"cmd": "plain", "removes": "$DIR/nope"}, Unchanged: true},
	} {
		c.Module, c.Controller = Module(), ctl
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestSplit(t *testing.T) {
	for cmd, want := range map[string][2]string{
		"a.sh":            {"a.sh", ""},
		" a.sh  -x '1 2'": {"a.sh", "-x '1 2'"},
		"'a b.sh' $HOME":  {"a b.sh", "$HOME"},
		`a\ b.sh c`:       {"a b.sh", "c"},
	} {
		name, args, err := split(cmd)
		if err != nil || name != want[0] || args != want[1] {
			t.Errorf("%q: %q, %q, %v", cmd, name, args, err)
		}
	}
	if _, _, err := split("'a"); err == nil {
		t.Error("an open quote is fine")
	}
}
