package pause_test

import (
	"context"
	"errors"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/pause"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func TestAsks(t *testing.T) {
	ctl := &modulestest.Controller{Answers: []string{"go"}}
	got, err := pause.Module().RunLocal(t.Context(), ctl, map[string]any{"prompt": "Ready?"})
	if err != nil || got.Values["user_input"] != "go" || ctl.Prompts()[0] != "Ready?" {
		t.Errorf("got %+v, %v, asked %v", got, err, ctl.Prompts())
	}
	if _, err := pause.Module().RunLocal(t.Context(), ctl, nil); err == nil {
		t.Error("it went on without a terminal")
	}
}

func TestTimeIsOver(t *testing.T) {
	for _, args := range []map[string]any{{"seconds": 0}, {"minutes": 0, "prompt": "Wait"}} {
		if _, err := pause.Module().RunLocal(t.Context(), &modulestest.Controller{}, args); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pause.Module().RunLocal(ctx, &modulestest.Controller{}, map[string]any{"minutes": 60}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDryRunNeitherWaitsNorAsks(t *testing.T) {
	ctl := &modulestest.Controller{CheckMode: true}
	for _, args := range []map[string]any{{"minutes": 60}, {"prompt": "?"}} {
		got, err := pause.Module().RunLocal(t.Context(), ctl, args)
		if _, unknown := got.Values["user_input"].(value.Unknown); err != nil || !unknown {
			t.Errorf("%v: got %+v, %v", args, got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []map[string]any{{"seconds": 1, "minutes": 1}, {"seconds": -1}} {
		if pause.Module().CheckArgs(args, nil) == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
