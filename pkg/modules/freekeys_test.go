package modules

import (
	"context"
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/value"
)

type freeArgs struct {
	Name string         `arg:"name,required,alias=host" doc:"Named."`
	Rest map[string]any `arg:"*"`
}

func freeModule(got *freeArgs) *Module {
	return Local(Spec{Name: "free"}, func(_ context.Context, _ Controller, a *freeArgs) (Result, error) {
		*got = *a
		return Result{}, nil
	})
}

func TestFreeKeysAreCollected(t *testing.T) {
	var got freeArgs
	m := freeModule(&got)
	args := map[string]any{"host": "web09", "x": 1, "none": nil, "later": value.Unknown{Reason: "r"}}
	if errs := m.CheckArgs(args, nil); errs != nil {
		t.Fatal(errs)
	}
	if _, err := m.RunLocal(t.Context(), nil, args); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"x": 1, "none": nil, "later": value.Unknown{Reason: "r"}}
	if got.Name != "web09" || !reflect.DeepEqual(got.Rest, want) {
		t.Errorf("got %+v", got)
	}
	enc := m.options.encode(&got)
	if enc["name"] != "web09" || enc["x"] != 1 {
		t.Errorf("encoded to %v", enc)
	}
}

func TestFreeKeysDoNotHideMissingOptions(t *testing.T) {
	var got freeArgs
	if errs := freeModule(&got).CheckArgs(map[string]any{"nmae": "x"}, nil); len(errs) != 1 || errs[0].Option != "name" {
		t.Errorf("got %v", errs)
	}
}

func TestFreeKeysAreNoOption(t *testing.T) {
	var got freeArgs
	if n := len(freeModule(&got).Options()); n != 1 {
		t.Errorf("%d options listed", n)
	}
}

func TestFreeKeysNeedAMap(t *testing.T) {
	if _, err := readOptions(reflect.TypeFor[struct {
		Rest []string `arg:"*"`
	}]()); err == nil {
		t.Error("a list was accepted for free keys")
	}
}
