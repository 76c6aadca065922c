package mysqlquery

import (
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql/mysqltest"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestConformance(t *testing.T) {
	host := mysqltest.Host(mysqltest.State{Version: "9.7.4"})
	t.Run("reading", func(t *testing.T) {
		modulestest.Conformance(t, modulestest.Case{
			Module: module(mysqltest.Dial), Host: host, Unchanged: true,
			Args:   map[string]any{"query": "SELECT 1 AS n", "login_unix_socket": mysqltest.Socket},
			Values: map[string]any{"rowcount": []any{1}, "query_result": []any{[]any{map[string]any{"n": 1}}}},
		})
	})
	t.Run("writing", func(t *testing.T) {
		modulestest.Conformance(t, modulestest.Case{
			Module: module(mysqltest.Dial), Host: host, Maybe: true, WantErr: "was not told",
			Args: map[string]any{"query": "DELETE FROM t", "login_unix_socket": mysqltest.Socket},
		})
	})
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		o    Options
		text string
		args []any
		bad  bool
	}{
		{o: Options{Query: "SELECT '%s'"}, text: "SELECT '%s'"},
		{o: Options{Query: "SELECT %s, 5 %% 2", PositionalArgs: []any{1}}, text: "SELECT ?, 5 % 2", args: []any{1}},
		{o: Options{Query: "SELECT %(b)s, %(a)s, %(b)s", NamedArgs: map[string]any{"a": 1, "b": 2}}, text: "SELECT ?, ?, ?", args: []any{2, 1, 2}},
		{o: Options{Query: "SELECT %s", PositionalArgs: []any{1, 2}}, bad: true},
		{o: Options{Query: "SELECT %s %s", PositionalArgs: []any{1}}, bad: true},
		{o: Options{Query: "SELECT %(c)s", NamedArgs: map[string]any{"a": 1}}, bad: true},
		{o: Options{Query: ""}, bad: true}, {o: Options{Query: 7}, bad: true}, {o: Options{Query: []any{7}}, bad: true},
	} {
		got, err := c.o.statements()
		if c.bad != (err != nil) {
			t.Errorf("%v: %v", c.o.Query, err)
		}
		if !c.bad && (got[0].text != c.text || !reflect.DeepEqual(got[0].args, c.args)) {
			t.Errorf("%v: %+v", c.o.Query, got)
		}
	}
}
