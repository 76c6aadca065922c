package raw_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/raw"
)

func TestRaw(t *testing.T) {
	for name, c := range map[string]modulestest.Case{
		"runs": {Args: map[string]any{"cmd": "echo a; echo b"}, Maybe: true, Repeats: true,
			Values: map[string]any{"stdout": "a\nb\n", "stdout_lines": []any{"a", "b"}, "rc": 0}},
		"fails": {Args: map[string]any{"cmd": "echo x; false"}, Maybe: true, WantErr: "non-zero return code"},
	} {
		c.Module = raw.Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}
