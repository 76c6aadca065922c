package playbook

import (
	"errors"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func TestMismatch(t *testing.T) {
	list, dict := []any{1}, map[string]any{"a": 1}
	for _, c := range []struct {
		typ  string
		fits []any
		not  []any
	}{
		{"str", []any{"x", "", 1, 1.5, true}, []any{nil, list, dict}},
		{"path", []any{"/x"}, []any{nil, list, dict}},
		{"bool", []any{true, "yes", "off", 1, 0}, []any{nil, "maybe", "", 2, list, dict}},
		{"int", []any{1, "12", -3, 2.0, " 7 "}, []any{nil, "x", 1.5, true, list, dict, ""}},
		{"float", []any{1, 1.5, "2.5"}, []any{nil, "x", true, list, dict}},
		{"list", []any{list, "a,b", 1}, []any{nil, dict}},
		{"dict", []any{dict, "a=b", `{"a": 1}`}, []any{nil, "x", 1, list}},
		{"raw", []any{nil, 1, "x", list, dict}, nil},
	} {
		for _, v := range c.fits {
			if got := mismatch(c.typ, v); got != "" {
				t.Errorf("%s: %#v must be %s", c.typ, v, got)
			}
		}
		for _, v := range c.not {
			if mismatch(c.typ, v) == "" {
				t.Errorf("%s takes %#v", c.typ, v)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	spec := &ArgSpec{Options: []ArgOption{
		{Name: "port", Type: "int", Required: true},
		{Name: "mode", Type: "str", Choices: []any{"fast", "slow", 3}},
		{Name: "secret", Type: "int", Secret: true},
		{Name: "sites", Type: "list", Elements: "dict", Options: []ArgOption{
			{Name: "name", Type: "str", Required: true}, {Name: "tls", Type: "bool"},
		}},
		{Name: "modes", Type: "list", Elements: "str", Choices: []any{"r", "w"}},
	}}
	for name, c := range map[string]struct {
		vars map[string]any
		want string
	}{
		"fine":        {map[string]any{"port": "80", "mode": "3", "sites": []any{map[string]any{"name": "a", "tls": nil}}, "modes": []any{"r"}}, ""},
		"null":        {map[string]any{"port": 1, "mode": nil}, ""},
		"unknown":     {map[string]any{"port": value.Unknown{Reason: "r"}}, ""},
		"missing":     {nil, `needs the parameter "port"`},
		"type":        {map[string]any{"port": "x"}, `parameter port must be a whole number, found string "x"`},
		"choice":      {map[string]any{"port": 1, "mode": "fastest"}, `must be one of fast, slow, 3, found string "fastest"`},
		"each choice": {map[string]any{"port": 1, "modes": []any{"r", "x"}}, `must be one of r, w, found string "x"`},
		"element":     {map[string]any{"port": 1, "sites": []any{1}}, `parameter sites[0] must be a dict, found int "1"`},
		"sub":         {map[string]any{"port": 1, "sites": []any{map[string]any{"nam": 1}}}, `parameter sites[0].name is missing`},
		"sub unknown": {map[string]any{"port": 1, "sites": []any{map[string]any{"name": "a", "tsl": 1}}}, `has no key "tsl", did you mean "tls"?`},
		"sub type":    {map[string]any{"port": 1, "sites": []any{map[string]any{"name": "a", "tls": "x"}}}, `sites[0].tls must be true or false`},
		"no secret":   {map[string]any{"port": 1, "secret": "hush"}, `parameter secret must be a whole number, found string`},
		"broken":      {map[string]any{"port": errors.New("cycle")}, `role web: parameter port: cycle`},
	} {
		t.Run(name, func(t *testing.T) {
			l := spec.Validate("web", diag.Pos{File: "site.yml", Line: 3}, func(n string) (any, bool, error) {
				v, ok := c.vars[n]
				if err, bad := v.(error); bad {
					return nil, false, err
				}
				return v, ok, nil
			})
			got := ""
			if err := l.Err(); err != nil {
				got = err.Error()
			}
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) || strings.Contains(got, "hush") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.want != "" && !strings.HasPrefix(got, "site.yml:3: role web") {
				t.Errorf("no place or role in %q", got)
			}
		})
	}
}
