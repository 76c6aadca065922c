// Package mysqlreplication is the module mysql_replication: which primary a
// MySQL or MariaDB server follows, and whether it does. The two dialects and
// their words are in dialect.go; what is compared is in link.go.
package mysqlreplication

import (
	"errors"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// Options are the options of the module mysql_replication.
type Options struct {
	Mode        string `arg:"mode" default:"getreplica" choices:"changeprimary,getprimary,getreplica,startreplica,stopreplica,resetprimary,resetreplica,resetreplicaall" doc:"What to do. getprimary and getreplica only read. changeprimary points the server at a primary, startreplica and stopreplica set its threads going, resetreplica forgets how far it is, resetreplicaall forgets the primary, resetprimary deletes the binary logs and GTIDs of this server."`
	PrimaryHost string `arg:"primary_host,alias=master_host" doc:"The primary's name or address."`
	PrimaryPort *int   `arg:"primary_port,alias=master_port" doc:"Its port."`
	PrimaryUser string `arg:"primary_user,alias=master_user" doc:"The account there."`

	PrimaryPassword *string `arg:"primary_password,alias=master_password,secret" doc:"Its password. It is compared with what the server keeps."`

	PrimaryConnectRetry *int     `arg:"primary_connect_retry,alias=master_connect_retry" doc:"Seconds between attempts to connect."`
	PrimaryRetryCount   *int     `arg:"primary_retry_count" doc:"How many attempts (MySQL; MariaDB reads it from its configuration)."`
	PrimaryHeartbeat    *float64 `arg:"primary_heartbeat_period" doc:"Seconds between signs of life of an idle primary."`
	PrimaryDelay        *int     `arg:"primary_delay,alias=master_delay" doc:"Seconds the replica stays behind on purpose."`

	PrimaryLogFile string `arg:"primary_log_file,alias=master_log_file" doc:"Where a new link begins to read: the primary's log …"`
	PrimaryLogPos  *int   `arg:"primary_log_pos,alias=master_log_pos" doc:"… and the position in it. For a link that is there already to this primary they mean nothing any more."`
	RelayLogFile   string `arg:"relay_log_file" doc:"Where a new link begins to apply: the relay log …"`
	RelayLogPos    *int   `arg:"relay_log_pos" doc:"… and the position in it."`

	PrimarySSL       *bool   `arg:"primary_ssl,alias=master_ssl" doc:"Whether the link is encrypted."`
	PrimarySSLCA     *string `arg:"primary_ssl_ca,alias=master_ssl_ca" doc:"File with the CA's certificate."`
	PrimarySSLCAPath *string `arg:"primary_ssl_capath,alias=master_ssl_capath" doc:"Directory of CA certificates."`
	PrimarySSLCert   *string `arg:"primary_ssl_cert,alias=master_ssl_cert" doc:"File with the certificate to show."`
	PrimarySSLKey    *string `arg:"primary_ssl_key,alias=master_ssl_key" doc:"File with its key."`
	PrimarySSLCipher *string `arg:"primary_ssl_cipher,alias=master_ssl_cipher" doc:"Ciphers to allow."`
	PrimarySSLVerify *bool   `arg:"primary_ssl_verify_server_cert" doc:"Whether the primary's certificate must be for primary_host."`
	PublicKey        *bool   `arg:"primary_get_public_key" doc:"Without TLS: ask the primary for the key that encrypts the password (MySQL)."`

	AutoPosition *bool  `arg:"primary_auto_position,alias=master_auto_position" doc:"Find the position by GTID (MySQL)."`
	UseGTID      string `arg:"primary_use_gtid,alias=master_use_gtid" choices:"current_pos,slave_pos,replica_pos,disabled" doc:"Find the position by GTID (MariaDB); replica_pos is slave_pos."`

	Channel        string `arg:"channel" doc:"The channel, of several (MySQL)."`
	ConnectionName string `arg:"connection_name" doc:"The connection, of several (MariaDB)."`
	FailOnError    bool   `arg:"fail_on_error" doc:"Here errors always fail the task; the option is there for playbooks that set it."`
	mysql.Login
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	switch {
	case o.Channel != "" && o.ConnectionName != "":
		return errors.New("channel is MySQL's and connection_name MariaDB's: give one")
	case strings.ContainsAny(o.Channel+o.ConnectionName, "\\\x00"):
		return errors.New("channel and connection_name may hold no backslash")
	case o.AutoPosition != nil && *o.AutoPosition && (o.PrimaryLogFile != "" || o.PrimaryLogPos != nil):
		return errors.New("primary_auto_position and primary_log_file exclude each other")
	case o.Mode == "changeprimary" && len(o.settings()) == 0 && o.PrimaryPassword == nil:
		return errors.New("mode changeprimary needs at least one option primary_…")
	}
	return nil
}

// name is the channel or connection.
func (o *Options) name() string { return o.Channel + o.ConnectionName }

// Module is the module mysql_replication.
func Module() *modules.Module { return module(mysql.Connect) }

func module(dial mysql.Dial) *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "mysql_replication",
		Short: "Manage replication of MySQL and MariaDB",
		Doc: `Every mode reads first and does only what is not so yet; a dry run predicts it. changeprimary compares what the server keeps of the link
(the password too), changes what differs, and stops and starts the threads only when they run and something differs.
MariaDB is spoken to as MariaDB; of MySQL 8.0.23 and later are understood. Against Ansible, primary_heartbeat_period, primary_retry_count and
primary_get_public_key are more, and errors always fail. Left out: master_auto_position's implied restart, check_implicit_admin and config_overrides_defaults.`,
		Returns: []modules.Return{
			{Name: "queries", Type: "list", Doc: "The statements that were executed, secrets hidden; or in a dry run would be."},
			{Name: "Is_Primary", Type: "bool", Doc: "getprimary: whether the server writes a binary log. With it come the columns of its status."},
			{Name: "File", Type: "string", Doc: "getprimary: the log it writes."},
			{Name: "Position", Type: "int", Doc: "getprimary: the position in it."},
			{Name: "Executed_Gtid_Set", Type: "string", Doc: "getprimary: its GTIDs, in both dialects."},
			{Name: "Is_Replica", Type: "bool", Doc: "getreplica: whether it follows a primary. With it come the columns of its status, under the server's names and under those of MySQL 8.0.22 and later; the most important are listed here."},
			{Name: "Source_Host", Type: "string", Doc: "getreplica: the primary."},
			{Name: "Replica_IO_Running", Type: "string", Doc: "getreplica: Yes, No or Connecting."},
			{Name: "Replica_SQL_Running", Type: "string", Doc: "getreplica: Yes or No."},
			{Name: "Seconds_Behind_Source", Type: "int", Doc: "getreplica: the lag; null when a thread does not run."},
			{Name: "Last_IO_Error", Type: "string", Doc: "getreplica: why the IO thread stopped."},
			{Name: "Last_SQL_Error", Type: "string", Doc: "getreplica: why the SQL thread stopped."},
		},
		Examples: `- name: Follow the primary (MariaDB)
  mysql_replication:
    mode: changeprimary
    primary_host: 198.51.100.11
    primary_user: replication
    primary_password: "{{ .replication_password }}"
    primary_ssl: true
    primary_ssl_ca: /etc/mysql/ssl/ca.crt
    primary_use_gtid: slave_pos
- mysql_replication:
    mode: startreplica
- mysql_replication:
    mode: getreplica
  register: replica
`,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		r := &resource{Options: o, server: mysql.NewServer(&o.Login, dial)}
		switch o.Mode {
		case "getprimary":
			return modules.Read(r.primary), nil
		case "getreplica":
			return modules.Read(r.replica), nil
		case "startreplica":
			a := modules.Managed(r)
			return modules.Custom(a.Plan, a.Apply, r.running), nil
		}
		return modules.Managed(r), nil
	})
}
