package assert_test

import (
	"errors"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/assert"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

var ctl = &modulestest.Controller{TestFunc: func(expr string) (bool, error) {
	switch expr {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	case "later":
		return false, host.Unknownf("later")
	}
	return false, errors.New("broken")
}}

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		args         map[string]any
		msg, unknown string
	}{
		{map[string]any{"that": "yes"}, "All assertions passed", ""},
		{map[string]any{"that": []any{"yes", "yes"}, "success_msg": []any{"a", "b"}}, "a\nb", ""},
		{map[string]any{"that": "yes", "quiet": true}, "", ""},
		{map[string]any{"that": []any{"later", "yes"}}, "", "later"},
		{map[string]any{"that": []any{"later", "broken"}}, "", "later"},
	} {
		got, err := assert.Module().RunLocal(t.Context(), ctl, c.args)
		if err != nil || got.Msg != c.msg || got.Unknown != c.unknown || got.Changed {
			t.Errorf("%v: got %+v, %v", c.args, got, err)
		}
	}
}

func TestFails(t *testing.T) {
	for _, c := range []struct {
		args map[string]any
		msg  string
	}{
		{map[string]any{"that": []any{"yes", "no"}}, "Assertion failed: no"},
		{map[string]any{"that": []any{"later", "no"}, "fail_msg": "sorry"}, "sorry"},
		{map[string]any{"that": "no", "msg": []any{"a", "b"}}, "a\nb"},
	} {
		_, err := assert.Module().RunLocal(t.Context(), ctl, c.args)
		var f *modules.Failure
		if !errors.As(err, &f) || f.Msg != c.msg || f.Values["assertion"] != "no" || f.Values["evaluated_to"] != false {
			t.Errorf("%v: got %#v", c.args, err)
		}
	}
	if _, err := assert.Module().RunLocal(t.Context(), ctl, map[string]any{"that": "broken"}); err == nil {
		t.Error("a condition that cannot be evaluated held")
	}
}

func TestNeedsConditions(t *testing.T) {
	if errs := assert.Module().CheckArgs(map[string]any{"that": []any{}}, nil); errs == nil {
		t.Error("no condition was accepted")
	}
}
