package shell_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/shell"
)

func TestShell(t *testing.T) {
	for name, c := range map[string]modulestest.Case{
		"pipes": {Args: map[string]any{"cmd": "cat | tr a b > out; cat out", "stdin": "aaa", "chdir": "$DIR", "creates": "out"}, Maybe: true,
			Values: map[string]any{"stdout": "bbb", "cmd": "cat | tr a b > out; cat out"}},
		"fails":    {Args: map[string]any{"cmd": "exit 7"}, Maybe: true, WantErr: "non-zero return code"},
		"no chdir": {Args: map[string]any{"cmd": "true", "chdir": "$DIR/nope"}, Maybe: true, WantErr: "Unable to change directory"},
	} {
		c.Module = shell.Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}
