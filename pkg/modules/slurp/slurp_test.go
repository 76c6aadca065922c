package slurp_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/slurp"
)

func TestConformance(t *testing.T) {
	hosts := modulestest.NewTestHost(func(h *modulestest.Host) { h.AddFile("/etc/f", "hello\n", 0o600) })
	for name, c := range map[string]modulestest.Case{
		"file":      {Args: map[string]any{"src": "/etc/f"}, Values: map[string]any{"content": "aGVsbG8K", "encoding": "base64", "source": "/etc/f"}},
		"missing":   {Args: map[string]any{"path": "/etc/none"}, WantErr: "/etc/none does not exist"},
		"directory": {Args: map[string]any{"src": "/etc"}, WantErr: "directory"},
	} {
		c.Module, c.Host, c.Unchanged = slurp.Module(), hosts, true
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}
