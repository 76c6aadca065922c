package setfact_test

import (
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/setfact"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func TestVariablesKeepTheirType(t *testing.T) {
	vars := map[string]any{"a": []any{1}, "later": value.Unknown{Reason: "r"}, "none": nil}
	got, err := setfact.Module().RunLocal(t.Context(), nil, vars)
	if err != nil || !reflect.DeepEqual(got.Effects.SetVars, vars) || got.Changed || got.Facts != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCacheableMakesFacts(t *testing.T) {
	got, err := setfact.Module().RunLocal(t.Context(), nil, map[string]any{"a": 1, "cacheable": true})
	want := map[string]any{"a": 1}
	if err != nil || !reflect.DeepEqual(got.Effects.SetVars, want) || !reflect.DeepEqual(got.Facts, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []map[string]any{{}, {"cacheable": true}, {"a-b": 1}, {"1a": 1}} {
		if setfact.Module().CheckArgs(args, nil) == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
