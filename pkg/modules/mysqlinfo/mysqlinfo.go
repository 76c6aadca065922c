// Package mysqlinfo is the module mysql_info: what a MySQL or MariaDB server
// is, has and does. It only reads.
package mysqlinfo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// Options are the options of the module mysql_info.
type Options struct {
	Filter         []string `arg:"filter" doc:"What to read: version, databases, settings, global_status, users, engines, master_status, slave_status, slave_hosts; with ! before each: what not to read. Left out: all."`
	LoginDB        string   `arg:"login_db" doc:"The database to use."`
	ExcludeFields  []string `arg:"exclude_fields" doc:"db_size: do not add up how big databases are."`
	ReturnEmptyDBs bool     `arg:"return_empty_dbs" doc:"List databases without tables too."`
	mysql.Login
}

// part is one thing that can be read.
type part struct {
	name string
	read func(context.Context, *mysql.Handle, *Options) (any, error)
}

var parts = []part{
	{"version", version}, {"databases", databases}, {"settings", settings}, {"global_status", globalStatus}, {"users", users},
	{"engines", engines}, {"master_status", primaryStatus}, {"slave_status", replicaStatus}, {"slave_hosts", replicaHosts},
}

// Check finds names that are none.
func (o *Options) Check() error {
	not := 0
	for _, f := range o.Filter {
		name, inverted := strings.CutPrefix(f, "!")
		if inverted {
			not++
		}
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("filter: %q is none of version, databases, settings, global_status, users, engines, master_status, slave_status, slave_hosts", name)
		}
	}
	if not != 0 && not != len(o.Filter) {
		return fmt.Errorf("filter: either all names have a ! or none")
	}
	for _, f := range o.ExcludeFields {
		if f != "db_size" {
			return fmt.Errorf("exclude_fields: only db_size can be left out, not %q", f)
		}
	}
	return nil
}

func (o *Options) asks(name string) bool {
	if len(o.Filter) == 0 {
		return true
	}
	if strings.HasPrefix(o.Filter[0], "!") {
		return !slices.Contains(o.Filter, "!"+name)
	}
	return slices.Contains(o.Filter, name)
}

// Module is the module mysql_info.
func Module() *modules.Module { return module(mysql.Connect) }

func module(dial mysql.Dial) *modules.Module {
	return modules.Define(modules.Spec{
		Name:     "mysql_info",
		Short:    "Tell about a MySQL or MariaDB server",
		ReadOnly: true,
		Doc: `Columns have the server's names, so those of slave_status differ between MariaDB and MySQL 8.0.22 and later. Password hashes are never given.
Left out against Ansible: users_info, connector_name, connector_version, check_implicit_admin and config_overrides_defaults.`,
		Returns: []modules.Return{
			{Name: "server_engine", Type: "string", Doc: "MariaDB or MySQL."},
			{Name: "version", Type: "map", Doc: "major, minor, release (numbers), suffix, full."},
			{Name: "databases", Type: "map", Doc: "By name: size in bytes, of data and indexes."},
			{Name: "settings", Type: "map", Doc: "The global variables."},
			{Name: "global_status", Type: "map", Doc: "The server's counters."},
			{Name: "users", Type: "map", Doc: "By host and user: plugin, and what TLS connections must show."},
			{Name: "engines", Type: "map", Doc: "By name: what the server says of a storage engine."},
			{Name: "master_status", Type: "map", Doc: "Where the binary log is; empty without one."},
			{Name: "slave_status", Type: "map", Doc: "By the primary's host, port and account: the replica's status; empty when it follows none."},
			{Name: "slave_hosts", Type: "map", Doc: "By server id: the replicas that are connected."},
		},
		Examples: `- mysql_info:
    filter: [version, settings]
  register: db
- debug:
    msg: "{{ .db.server_engine }} {{ .db.version.full }} listens at {{ .db.settings.bind_address }}"
`,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		server := mysql.NewServer(&o.Login, dial).In(o.LoginDB)
		return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
			values := map[string]any{}
			err := server.Read(ctx, r, func(s *mysql.Handle) error {
				values["server_engine"] = s.Version.Engine()
				for _, p := range parts {
					if !o.asks(p.name) {
						continue
					}
					v, err := p.read(ctx, s, o)
					if err != nil {
						return fmt.Errorf("read %s: %w", p.name, err)
					}
					values[p.name] = v
				}
				return nil
			})
			return modules.Outcome{Values: values}, err
		}), nil
	})
}
