package mysqlvariables

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql/mysqltest"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestConformance(t *testing.T) {
	variables := map[string]string{"read_only": "OFF", "long_query_time": "10.000000", "max_connections": "151", "sql_mode": "A,B"}
	for name, c := range map[string]struct {
		modulestest.Case
		version string
	}{
		"set": {version: "10.11.19-MariaDB", Case: modulestest.Case{
			Args:   map[string]any{"variable": "max_connections", "value": 200},
			Values: map[string]any{"value": "200", "queries": []any{"SET GLOBAL max_connections = '200'"}},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				mysqltest.Edit(t, w, func(s *mysqltest.State) { s.Variables["max_connections"] = "151" })
			}}},
		"a bool":          {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "read_only", "value": true}}},
		"off is 0":        {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "read_only", "value": 0}, Unchanged: true}},
		"10 is 10.000000": {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "long_query_time", "value": 10}, Unchanged: true}},
		"only read": {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "sql_mode"}, Unchanged: true,
			Values: map[string]any{"value": "A,B", "msg": "A,B"}}},
		"persisted": {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "max_connections", "value": 151, "mode": "persist"}}},
		"persisted only": {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "max_connections", "value": 99, "mode": "persist_only"},
			Check: func(t *testing.T, r host.Reader, _ string) {
				if s := mysqltest.Read(t, r); s.Variables["max_connections"] != "151" || s.Persisted["max_connections"] != "99" {
					t.Errorf("%+v", s)
				}
			}}},
		"MariaDB persists nothing": {version: "10.11.19-MariaDB", Case: modulestest.Case{
			Args: map[string]any{"variable": "max_connections", "value": 99, "mode": "persist"}, WantErr: "into its configuration"}},
		"no such variable": {version: "9.7.4", Case: modulestest.Case{Args: map[string]any{"variable": "max_connection", "value": 1}, WantErr: "no global variable"}},
	} {
		c.Module, c.Host = module(mysqltest.Dial), mysqltest.Host(mysqltest.State{Version: c.version, Variables: variables, Persisted: map[string]string{}})
		c.Args["login_unix_socket"] = mysqltest.Socket
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c.Case) })
	}
}
