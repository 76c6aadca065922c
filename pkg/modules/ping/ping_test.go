package ping_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/ping"
)

func TestPing(t *testing.T) {
	for name, c := range map[string]modulestest.Case{
		"pong":  {Args: map[string]any{}, Unchanged: true, Values: map[string]any{"ping": "pong"}},
		"data":  {Args: map[string]any{"data": "hi"}, Unchanged: true, Values: map[string]any{"ping": "hi"}},
		"crash": {Args: map[string]any{"data": "crash"}, WantErr: "boom"},
	} {
		c.Module, c.Host = ping.Module(), modulestest.NewTestHost(nil)
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}
