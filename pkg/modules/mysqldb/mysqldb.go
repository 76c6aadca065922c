// Package mysqldb is the module mysql_db: databases of MySQL and MariaDB. How
// a server is reached is in internal/mysql; this package knows what a database
// is and compares.
package mysqldb

import (
	"errors"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// Options are the options of the module mysql_db.
type Options struct {
	Name      []string `arg:"name,required,alias=db" doc:"The databases."`
	State     string   `arg:"state" default:"present" choices:"present,absent" doc:"Whether they are there. absent deletes them with all they hold."`
	Encoding  string   `arg:"encoding" doc:"The character set new tables get, such as utf8mb4; left out: the server's for a new database, any for one that is there."`
	Collation string   `arg:"collation" doc:"The collation new tables get; left out: the encoding's for a new database, any for one that is there."`
	SQLLogBin bool     `arg:"sql_log_bin" default:"true" doc:"Write to the binary log, so that replicas do the same."`
	mysql.Login
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	if len(o.Name) == 0 {
		return errors.New("name: which database?")
	}
	for _, name := range o.Name {
		switch {
		case name == "" || len(name) > 64 || strings.ContainsRune(name, 0):
			return errors.New("name: a database's name has 1 to 64 characters")
		case name == "all":
			return errors.New("name: all is for state dump and import, which are left out")
		case slices.Contains(system, strings.ToLower(name)) && o.State == "absent":
			return errors.New("name: the server needs its own database " + name)
		}
	}
	if o.Encoding != "" && !mysql.PluginName(o.Encoding) || o.Collation != "" && !mysql.PluginName(o.Collation) {
		return errors.New("encoding and collation are single words, such as utf8mb4")
	}
	return nil
}

// system are the server's own databases.
var system = []string{"mysql", "information_schema", "performance_schema", "sys"}

// Module is the module mysql_db.
func Module() *modules.Module { return module(mysql.Connect) }

func module(dial mysql.Dial) *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "mysql_db",
		Short: "Manage databases of MySQL and MariaDB",
		Doc: `Makes and deletes databases, and changes the character set and collation that their new tables get (Ansible leaves those of a database that is there).
A dry run reads the server and predicts exactly; where the server would only come with the run it says maybe.
Left out against Ansible: the states dump and import with their options (target, single_transaction, quick, ignore_tables, hex_blob, force, master_data,
skip_lock_tables, dump_extra_args, use_shell, pipefail, unsafe_login_password, restrict_config_file), check_implicit_admin and config_overrides_defaults.`,
		Returns:  returns,
		Examples: examples,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o, server: mysql.NewServer(&o.Login, dial)}), nil
	})
}

var returns = []modules.Return{
	{Name: "db", Type: "string", Doc: "The databases' names, between spaces."},
	{Name: "db_list", Type: "list", Doc: "The databases' names."},
	{Name: "executed_commands", Type: "list", Doc: "The statements that were executed, or would be."},
}

const examples = `- name: The shop's database
  mysql_db:
    name: shop
    encoding: utf8mb4
    collation: utf8mb4_unicode_ci
- name: Not the test database
  mysql_db:
    name: test
    state: absent
`
