package addhost_test

import (
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/addhost"
)

func TestAddHost(t *testing.T) {
	for _, c := range []struct {
		args map[string]any
		want modules.AddHost
	}{
		{map[string]any{"name": "web09", "groups": "web,prod", "x": 1},
			modules.AddHost{Name: "web09", Groups: []string{"web", "prod"}, Vars: map[string]any{"x": 1}}},
		{map[string]any{"hostname": "web09:2222"}, modules.AddHost{Name: "web09", Vars: map[string]any{"ansible_port": 2222}}},
		{map[string]any{"host": "web09:2222", "ansible_port": 23}, modules.AddHost{Name: "web09", Vars: map[string]any{"ansible_port": 23}}},
		{map[string]any{"name": "2001:db8::1"}, modules.AddHost{Name: "2001:db8::1", Vars: map[string]any{}}},
		{map[string]any{"name": "[2001:db8::1]:22"}, modules.AddHost{Name: "2001:db8::1", Vars: map[string]any{"ansible_port": 22}}},
	} {
		got, err := addhost.Module().RunLocal(t.Context(), nil, c.args)
		if err != nil || len(got.Effects.AddHosts) != 1 || !reflect.DeepEqual(got.Effects.AddHosts[0], c.want) || got.Changed {
			t.Errorf("%v: got %+v, %v", c.args, got.Effects, err)
		}
	}
	for _, bad := range []string{" ", "web:", "web:0", "web:x"} {
		if _, err := addhost.Module().RunLocal(t.Context(), nil, map[string]any{"name": bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
