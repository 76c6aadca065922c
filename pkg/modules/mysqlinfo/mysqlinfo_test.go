package mysqlinfo

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql/mysqltest"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestConformance(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: module(mysqltest.Dial), Host: mysqltest.Host(mysqltest.State{Version: "10.11.19-MariaDB-0+deb12u1"}), Unchanged: true,
		Args:   map[string]any{"filter": []any{"version"}, "login_unix_socket": mysqltest.Socket},
		Values: map[string]any{"server_engine": "MariaDB", "version.major": 10, "version.release": 19, "version.suffix": "MariaDB-0+deb12u1"},
	})
}

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		filter []string
		asks   string
		want   bool
	}{
		{nil, "users", true}, {[]string{"users"}, "users", true}, {[]string{"users"}, "version", false},
		{[]string{"!users"}, "users", false}, {[]string{"!users"}, "version", true},
	} {
		o := &Options{Filter: c.filter}
		if err := o.Check(); err != nil || o.asks(c.asks) != c.want {
			t.Errorf("%v: %s: %v, %v", c.filter, c.asks, o.asks(c.asks), err)
		}
	}
	for _, bad := range [][]string{{"user"}, {"users", "!version"}} {
		if (&Options{Filter: bad}).Check() == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
