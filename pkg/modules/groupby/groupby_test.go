package groupby_test

import (
	"slices"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/groupby"
)

func TestGroupBy(t *testing.T) {
	got, err := groupby.Module().RunLocal(t.Context(), nil, map[string]any{"key": "os Debian 12", "parents": []any{"the os", "all"}})
	if err != nil || !slices.Equal(got.Effects.AddGroups, []string{"os-Debian-12"}) || !slices.Equal(got.Effects.Parents, []string{"the-os", "all"}) {
		t.Errorf("got %+v, %v", got.Effects, err)
	}
	got, err = groupby.Module().RunLocal(t.Context(), nil, map[string]any{"key": "x"})
	if err != nil || !slices.Equal(got.Effects.Parents, []string{"all"}) {
		t.Errorf("got %+v, %v", got.Effects, err)
	}
	if groupby.Module().CheckArgs(map[string]any{"key": " "}, nil) == nil {
		t.Error("an empty name was accepted")
	}
}
