package mysqldb

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

func modulesEnv() modules.Env { return modules.Env{OnOutput: func(string, []byte) {}} }

func execute(t *testing.T, a modules.Action, w host.Writer) (modules.Result, error) {
	t.Helper()
	return modules.Execute(t.Context(), "mysql_db", a, w, modules.Mode{Check: true})
}
