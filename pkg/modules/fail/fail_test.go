package fail_test

import (
	"errors"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/fail"
)

func TestFails(t *testing.T) {
	for want, args := range map[string]map[string]any{"no": {"msg": "no"}, "Failed as requested from task": nil} {
		_, err := fail.Module().RunLocal(t.Context(), nil, args)
		var f *modules.Failure
		if !errors.As(err, &f) || f.Msg != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
