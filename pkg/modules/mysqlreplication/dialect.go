package mysqlreplication

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// setting is one property of a link, by the option that sets it.
type setting struct {
	option string
	value  string // as the status shows it
}

// words are how a setting is called: in CHANGE … TO (after SOURCE_ or MASTER_
// when it begins with _), and in the status (MySQL's name).
type words struct{ clause, column string }

var dictionary = map[string]words{
	"primary_host":                   {"_HOST", "Source_Host"},
	"primary_port":                   {"_PORT", "Source_Port"},
	"primary_user":                   {"_USER", "Source_User"},
	"primary_connect_retry":          {"_CONNECT_RETRY", "Connect_Retry"},
	"primary_retry_count":            {"_RETRY_COUNT", "Source_Retry_Count"},
	"primary_heartbeat_period":       {"_HEARTBEAT_PERIOD", "heartbeat"},
	"primary_delay":                  {"_DELAY", "SQL_Delay"},
	"primary_ssl":                    {"_SSL", "Source_SSL_Allowed"},
	"primary_ssl_ca":                 {"_SSL_CA", "Source_SSL_CA_File"},
	"primary_ssl_capath":             {"_SSL_CAPATH", "Source_SSL_CA_Path"},
	"primary_ssl_cert":               {"_SSL_CERT", "Source_SSL_Cert"},
	"primary_ssl_key":                {"_SSL_KEY", "Source_SSL_Key"},
	"primary_ssl_cipher":             {"_SSL_CIPHER", "Source_SSL_Cipher"},
	"primary_ssl_verify_server_cert": {"_SSL_VERIFY_SERVER_CERT", "Source_SSL_Verify_Server_Cert"},
	"primary_get_public_key":         {"GET_SOURCE_PUBLIC_KEY", "Get_Source_public_key"},
	"primary_auto_position":          {"_AUTO_POSITION", "Auto_Position"},
	"primary_use_gtid":               {"_USE_GTID", "Using_Gtid"},
}

// only says which dialect has a setting; the others are both's.
var only = map[string]string{
	"primary_retry_count": "MySQL", "primary_get_public_key": "MySQL", "primary_auto_position": "MySQL", "primary_use_gtid": "MariaDB",
}

// settings are what the options ask for, in a fixed order.
func (o *Options) settings() []setting {
	var out []setting
	add := func(option, value string) { out = append(out, setting{option, value}) }
	text := func(option string, v *string) {
		if v != nil {
			add(option, *v)
		}
	}
	number := func(option string, v *int) {
		if v != nil {
			add(option, strconv.Itoa(*v))
		}
	}
	flag := func(option string, v *bool, yes, no string) {
		if v != nil {
			add(option, map[bool]string{true: yes, false: no}[*v])
		}
	}
	if o.PrimaryHost != "" {
		add("primary_host", o.PrimaryHost)
	}
	number("primary_port", o.PrimaryPort)
	if o.PrimaryUser != "" {
		add("primary_user", o.PrimaryUser)
	}
	number("primary_connect_retry", o.PrimaryConnectRetry)
	number("primary_retry_count", o.PrimaryRetryCount)
	if o.PrimaryHeartbeat != nil {
		add("primary_heartbeat_period", strconv.FormatFloat(*o.PrimaryHeartbeat, 'f', 3, 64))
	}
	number("primary_delay", o.PrimaryDelay)
	flag("primary_ssl", o.PrimarySSL, "Yes", "No")
	text("primary_ssl_ca", o.PrimarySSLCA)
	text("primary_ssl_capath", o.PrimarySSLCAPath)
	text("primary_ssl_cert", o.PrimarySSLCert)
	text("primary_ssl_key", o.PrimarySSLKey)
	text("primary_ssl_cipher", o.PrimarySSLCipher)
	flag("primary_ssl_verify_server_cert", o.PrimarySSLVerify, "Yes", "No")
	flag("primary_get_public_key", o.PublicKey, "1", "0")
	flag("primary_auto_position", o.AutoPosition, "1", "0")
	if o.UseGTID != "" {
		add("primary_use_gtid", map[string]string{"current_pos": "Current_Pos", "slave_pos": "Slave_Pos", "replica_pos": "Slave_Pos", "disabled": "No"}[o.UseGTID])
	}
	return out
}

// argument is a setting's value in CHANGE … TO.
func (s setting) argument() string {
	switch s.value {
	case "Yes":
		return "1"
	case "No":
		if s.option != "primary_use_gtid" {
			return "0"
		}
	}
	if s.option == "primary_use_gtid" {
		return strings.ToLower(s.value)
	}
	if _, err := strconv.ParseFloat(s.value, 64); err == nil && s.option != "primary_host" && s.option != "primary_user" {
		return s.value
	}
	return ""
}

// dialect is how one server is spoken to about one link.
type dialect struct {
	version mysql.Version
	name    string // channel or connection
}

func newDialect(v mysql.Version, name string) (dialect, error) {
	if !v.MariaDB && !v.AtLeast(8, 0, 23) {
		return dialect{}, fmt.Errorf("%s is too old, replication is understood from MySQL 8.0.23 on", v)
	}
	return dialect{v, name}, nil
}

// prefix begins the words of CHANGE … TO.
func (d dialect) prefix() string {
	if d.version.MariaDB {
		return "MASTER"
	}
	return "SOURCE"
}

// clause is the word for a setting in CHANGE … TO.
func (d dialect) clause(option string) string {
	c := dictionary[option].clause
	if strings.HasPrefix(c, "_") {
		return d.prefix() + c
	}
	return c
}

// replica makes a statement about the replica: "STOP", "RESET … ALL".
func (d dialect) replica(verb, rest string) string {
	s := verb + " REPLICA"
	if d.version.MariaDB {
		s = verb + " SLAVE"
		if d.name != "" {
			s += " " + mysql.Literal(d.name)
		}
		return s + rest
	}
	s += rest
	if d.name != "" {
		s += " FOR CHANNEL " + mysql.Literal(d.name)
	}
	return s
}

// change begins the statement that points a replica at its primary.
func (d dialect) change() (head, tail string) {
	if d.version.MariaDB {
		head = "CHANGE MASTER"
		if d.name != "" {
			head += " " + mysql.Literal(d.name)
		}
		return head + " TO ", ""
	}
	if d.name != "" {
		tail = " FOR CHANNEL " + mysql.Literal(d.name)
	}
	return "CHANGE REPLICATION SOURCE TO ", tail
}

// resetPrimary deletes binary logs and GTIDs.
func (d dialect) resetPrimary() string {
	if d.version.MariaDB || !d.version.AtLeast(8, 2, 0) {
		return "RESET MASTER"
	}
	return "RESET BINARY LOGS AND GTIDS"
}

// noSuchLink are the errors that say: there is no link of this name.
var noSuchLink = map[int]bool{1617: true, 3074: true}

// status reads the replica's status, under the server's names and MySQL's new
// ones. ok is false when it follows no primary.
func (d dialect) status(ctx context.Context, s *mysql.Handle) (mysql.Row, bool, error) {
	row, ok, err := s.Row(ctx, d.replica("SHOW", " STATUS"))
	if noSuchLink[mysql.Code(err)] {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the replica's status: %w", err)
	}
	for _, k := range row.Columns() {
		row[newWords.Replace(k)] = row[k]
	}
	return row, ok && row.Text("Source_Host") != "", nil
}

var newWords = strings.NewReplacer("Master", "Source", "Slave", "Replica")

// primaryStatus reads where the binary log is; ok is false when there is none.
func (d dialect) primaryStatus(ctx context.Context, s *mysql.Handle) (mysql.Row, bool, error) {
	statement := "SHOW MASTER STATUS"
	if !d.version.MariaDB && d.version.AtLeast(8, 2, 0) {
		statement = "SHOW BINARY LOG STATUS"
	}
	row, ok, err := s.Row(ctx, statement)
	if err != nil || !ok {
		return row, ok, err
	}
	if d.version.MariaDB {
		gtid, _, err := s.Row(ctx, "SELECT @@gtid_binlog_pos AS gtid")
		if err != nil {
			return nil, false, err
		}
		row["Executed_Gtid_Set"] = gtid.Text("gtid")
	} else if set, isText := row["Executed_Gtid_Set"].(string); isText {
		row["Executed_Gtid_Set"] = strings.ReplaceAll(set, "\n", "")
	}
	return row, ok, nil
}
