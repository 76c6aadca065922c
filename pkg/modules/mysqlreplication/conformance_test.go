package mysqlreplication

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql/mysqltest"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// following is a MySQL replica of p1 with its threads running.
func following() mysqltest.State {
	return mysqltest.State{Version: "9.7.4", Password: "secret", GTID: "uuid:1-7", Link: map[string]string{
		"Source_Host": "p1", "Source_Port": "3306", "Source_User": "repl", "Auto_Position": "1", "Connect_Retry": "60",
		"Source_SSL_Allowed": "Yes", "Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes",
	}}
}

func TestConformance(t *testing.T) {
	alone := func(version string) mysqltest.State { return mysqltest.State{Version: version} }
	for name, c := range map[string]struct {
		state mysqltest.State
		modulestest.Case
	}{
		"a new link, MySQL": {alone("9.7.4"), modulestest.Case{
			Args: map[string]any{"mode": "changeprimary", "primary_host": "p1", "primary_user": "repl", "primary_password": "secret",
				"primary_ssl": true, "primary_auto_position": true},
			Values: map[string]any{"queries": []any{"CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'p1', SOURCE_USER = 'repl', SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1, SOURCE_PASSWORD = '********'"}},
			Drift: func(t *testing.T, w host.Writer, _ string) {
				mysqltest.Edit(t, w, func(s *mysqltest.State) { s.Password = "other" })
			}}},
		"a new link, MariaDB": {alone("10.11.19-MariaDB"), modulestest.Case{
			Args: map[string]any{"mode": "changeprimary", "primary_host": "p1", "primary_port": 3307, "primary_use_gtid": "replica_pos",
				"primary_ssl_ca": "/ca", "primary_retry_count": 7},
			Values: map[string]any{"queries": []any{"CHANGE MASTER TO MASTER_HOST = 'p1', MASTER_PORT = 3307, MASTER_SSL_CA = '/ca', MASTER_USE_GTID = slave_pos"}}}},
		"only what differs, threads restarted": {following(), modulestest.Case{
			Args:   map[string]any{"mode": "changeprimary", "primary_host": "p1", "primary_connect_retry": 10, "primary_password": "secret", "primary_log_file": "f"},
			Values: map[string]any{"queries": []any{"STOP REPLICA", "CHANGE REPLICATION SOURCE TO SOURCE_CONNECT_RETRY = 10", "START REPLICA"}}}},
		"as it is": {following(), modulestest.Case{Unchanged: true,
			Args: map[string]any{"mode": "changeprimary", "primary_host": "p1", "primary_port": 3306, "primary_password": "secret", "primary_ssl": true}}},
		"start": {func() mysqltest.State {
			s := following()
			s.Link["Replica_SQL_Running"] = "No"
			return s
		}(), modulestest.Case{Args: map[string]any{"mode": "startreplica"}}},
		"started":          {following(), modulestest.Case{Args: map[string]any{"mode": "startreplica"}, Unchanged: true}},
		"nothing to start": {alone("9.7.4"), modulestest.Case{Args: map[string]any{"mode": "startreplica"}, WantErr: "follows no primary"}},
		"stop":             {following(), modulestest.Case{Args: map[string]any{"mode": "stopreplica"}}},
		"nothing to stop":  {alone("9.7.4"), modulestest.Case{Args: map[string]any{"mode": "stopreplica"}, Unchanged: true}},
		"forget": {following(), modulestest.Case{Args: map[string]any{"mode": "resetreplicaall"},
			Values: map[string]any{"queries": []any{"STOP REPLICA", "RESET REPLICA ALL"}}}},
		"empty the log":   {following(), modulestest.Case{Args: map[string]any{"mode": "resetprimary"}}},
		"an empty log":    {alone("9.7.4"), modulestest.Case{Args: map[string]any{"mode": "resetprimary"}, Unchanged: true}},
		"what it follows": {following(), modulestest.Case{Args: map[string]any{"mode": "getreplica"}, Unchanged: true, Values: map[string]any{"Is_Replica": true, "Source_Host": "p1"}}},
		"the wrong words": {alone("9.7.4"), modulestest.Case{Args: map[string]any{"mode": "changeprimary", "primary_host": "p", "primary_use_gtid": "slave_pos"}, WantErr: "primary_use_gtid is for MariaDB"}},
		"too old":         {alone("5.7.40"), modulestest.Case{Args: map[string]any{"mode": "startreplica"}, WantErr: "too old"}},
	} {
		c.Module, c.Host = module(mysqltest.Dial), mysqltest.Host(c.state)
		c.Args["login_unix_socket"] = mysqltest.Socket
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c.Case) })
	}
}

// The words of the dialects for a named link.
func TestDialects(t *testing.T) {
	maria := dialect{mysql.Version{MariaDB: true, Major: 10, Minor: 11}, "east"}
	my := dialect{mysql.Version{Major: 9, Minor: 7}, "east"}
	head, _ := maria.change()
	myHead, myTail := my.change()
	got := strings.Join([]string{maria.replica("SHOW", " STATUS"), maria.replica("RESET", " ALL"), head, maria.resetPrimary(),
		my.replica("SHOW", " STATUS"), my.replica("RESET", " ALL"), myHead + "x" + myTail, my.resetPrimary()}, "\n")
	want := `SHOW SLAVE 'east' STATUS
RESET SLAVE 'east' ALL
CHANGE MASTER 'east' TO 
RESET MASTER
SHOW REPLICA STATUS FOR CHANNEL 'east'
RESET REPLICA ALL FOR CHANNEL 'east'
CHANGE REPLICATION SOURCE TO x FOR CHANNEL 'east'
RESET BINARY LOGS AND GTIDS`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
