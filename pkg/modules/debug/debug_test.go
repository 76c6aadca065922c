package debug_test

import (
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/debug"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func TestDebug(t *testing.T) {
	unknown := value.Unknown{Reason: "later"}
	ctl := &modulestest.Controller{Verbose: 1, EvalFunc: func(expr string) (any, error) { return "<" + expr + ">", nil }}
	for name, c := range map[string]struct {
		args map[string]any
		want modules.Result
	}{
		"nothing":      {nil, modules.Result{Msg: "Hello world!"}},
		"text":         {map[string]any{"msg": "hi"}, modules.Result{Msg: "hi"}},
		"list":         {map[string]any{"msg": []any{1, "b"}}, modules.Result{Values: map[string]any{"msg": []any{1, "b"}}}},
		"unknown":      {map[string]any{"msg": unknown}, modules.Result{Values: map[string]any{"msg": unknown}}},
		"variable":     {map[string]any{"var": ".groups.web"}, modules.Result{Values: map[string]any{"groups.web": "<.groups.web>"}}},
		"pipeline":     {map[string]any{"var": "len .x"}, modules.Result{Values: map[string]any{"len .x": "<len .x>"}}},
		"quiet enough": {map[string]any{"msg": "hi", "verbosity": 1}, modules.Result{Msg: "hi"}},
		"not shown":    {map[string]any{"msg": "hi", "verbosity": 2}, modules.Result{Skipped: true, Values: map[string]any{"skipped_reason": "Verbosity threshold not met."}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := debug.Module().RunLocal(t.Context(), ctl, c.args)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
	if errs := debug.Module().CheckArgs(map[string]any{"msg": "a", "var": ".b"}, nil); errs == nil {
		t.Error("msg and var were accepted together")
	}
}
