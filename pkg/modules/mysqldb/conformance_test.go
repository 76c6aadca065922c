package mysqldb

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql/mysqltest"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func server() func(t *testing.T) *modulestest.Host {
	return mysqltest.Host(mysqltest.State{Version: "10.11.19-MariaDB", Databases: map[string][2]string{
		"old": {"latin1", "latin1_swedish_ci"}, "u8": {"utf8mb3", "utf8mb3_general_ci"},
	}})
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]modulestest.Case{
		"a new one": {
			Args:   map[string]any{"name": "shop", "encoding": "utf8mb4", "collation": "utf8mb4_bin"},
			Values: map[string]any{"db": "shop", "executed_commands": []any{"CREATE DATABASE `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"}},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				mysqltest.Edit(t, w, func(s *mysqltest.State) { s.Databases["shop"] = [2]string{"utf8mb4", "utf8mb4_default"} })
			},
		},
		"another encoding": {
			Args:   map[string]any{"name": "old", "encoding": "utf8mb4"},
			Values: map[string]any{"executed_commands": []any{"ALTER DATABASE `old` CHARACTER SET utf8mb4"}},
		},
		"several, one there": {
			Args:   map[string]any{"name": []any{"old", "a`b"}},
			Values: map[string]any{"executed_commands": []any{"CREATE DATABASE `a``b`"}, "db": "old a`b"},
		},
		"utf8 is utf8mb3": {Args: map[string]any{"name": "u8", "encoding": "utf8"}, Unchanged: true},
		"there already":   {Args: map[string]any{"name": "old"}, Unchanged: true},
		"gone":            {Args: map[string]any{"name": "old", "state": "absent"}},
		"never there":     {Args: map[string]any{"name": "new", "state": "absent"}, Unchanged: true},
	} {
		c.Module, c.Host = module(mysqltest.Dial), server()
		c.Args["login_unix_socket"] = mysqltest.Socket
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// A server that only comes with the run makes the task a maybe, and a host
// without one fails it.
func TestNoServer(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: Module(), Args: map[string]any{"name": "shop"}, Host: modulestest.NewTestHost(nil), WantErr: "Install and start one",
	})
	h := modulestest.NewHost(t)
	s := host.NewShadow(h)
	host.NotePending(s, "mariadb-server", "package mariadb-server is not installed yet")
	a, err := Module().Build(modulesEnv(), map[string]any{"name": "shop"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := execute(t, a, s)
	if err != nil || res.Unknown == "" {
		t.Errorf("unknown=%q err=%v", res.Unknown, err)
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []map[string]any{
		{"name": "mysql", "state": "absent"}, {"name": "all"}, {"name": ""}, {"name": "x", "encoding": "utf8; DROP DATABASE y"},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
