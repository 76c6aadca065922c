package mysqlreplication

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// link is what a server knows of its primary. Its zero value is none.
type link struct {
	dialect dialect
	// known is false when the server could not be read (a dry run).
	known bool
	there bool
	// settings are by option, as the status shows them.
	settings map[string]string
	// password is the one the server keeps; kept tells that it is known.
	password string
	kept     bool
	// denied tells that the primary refused the account.
	denied bool
	// io and sql tell whether the threads run.
	io, sql bool
	// read tells that the replica has read something of the primary's log.
	read bool
	// written tells that there is something in the server's own binary logs.
	written bool
}

type resource struct {
	*Options
	server *mysql.Server
}

func (r *resource) primary(ctx context.Context, h host.Reader) (modules.Outcome, error) {
	out := map[string]any{"Is_Primary": false, "queries": []any{}}
	err := r.server.Read(ctx, h, func(s *mysql.Handle) error {
		row, ok, err := dialect{version: s.Version}.primaryStatus(ctx, s)
		if err != nil {
			return fmt.Errorf("read the primary's status: %w", err)
		}
		maps.Copy(out, row)
		out["Is_Primary"] = ok
		return nil
	})
	return modules.Outcome{Values: out}, err
}

func (r *resource) replica(ctx context.Context, h host.Reader) (modules.Outcome, error) {
	out := map[string]any{"Is_Replica": false, "queries": []any{}}
	if _, ok := h.Noted(mysql.ReplicationNote, r.name()); ok {
		return modules.Outcome{}, host.Unknownf("an earlier task would change the replication")
	}
	err := r.server.Read(ctx, h, func(s *mysql.Handle) error {
		d, err := newDialect(s.Version, r.name())
		if err != nil {
			return err
		}
		row, ok, err := d.status(ctx, s)
		maps.Copy(out, row)
		out["Is_Replica"] = ok
		return err
	})
	return modules.Outcome{Values: out}, err
}

func (r *resource) Current(ctx context.Context, h host.Reader) (link, error) {
	if l, ok := h.Noted(mysql.ReplicationNote, r.name()); ok {
		return l.(link), nil
	}
	var l link
	err := r.server.Read(ctx, h, func(s *mysql.Handle) error {
		d, err := newDialect(s.Version, r.name())
		if err != nil {
			return err
		}
		row, ok, err := d.status(ctx, s)
		if err != nil {
			return err
		}
		l = link{dialect: d, known: true, there: ok, settings: map[string]string{}}
		if r.Mode == "resetprimary" {
			l.written, err = written(ctx, s, d)
			return err
		}
		if !ok {
			return nil
		}
		l.io, l.sql = row.Text("Replica_IO_Running") != "No", row.Text("Replica_SQL_Running") == "Yes"
		l.read = row.Text("Source_Log_File") != "" && row.Int("Read_Source_Log_Pos") > 4
		l.denied = row.Int("Last_IO_Errno") == 1045
		for option, w := range dictionary {
			l.settings[option] = row.Text(w.column)
		}
		if err := r.heartbeat(ctx, s, &l); err != nil {
			return err
		}
		return r.storedPassword(ctx, h, s, &l)
	})
	return l, err
}

// heartbeat reads the period, which is not in the status.
func (r *resource) heartbeat(ctx context.Context, s *mysql.Handle, l *link) error {
	if r.PrimaryHeartbeat == nil {
		return nil
	}
	statement, args := "SELECT HEARTBEAT_INTERVAL AS n FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = ?", []any{r.name()}
	if s.Version.MariaDB {
		statement, args = "SELECT VARIABLE_VALUE AS n FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVE_HEARTBEAT_PERIOD'", nil
	}
	row, _, err := s.Row(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("read the heartbeat's period: %w", err)
	}
	if f, err := strconv.ParseFloat(row.Text("n"), 64); err == nil {
		l.settings["primary_heartbeat_period"] = strconv.FormatFloat(f, 'f', 3, 64)
	}
	return nil
}

// storedPassword reads the password the server keeps for the link: MySQL in a
// table, MariaDB in the sixth line of a file beside its data.
func (r *resource) storedPassword(ctx context.Context, h host.Reader, s *mysql.Handle, l *link) error {
	if r.PrimaryPassword == nil {
		return nil
	}
	if !s.Version.MariaDB {
		row, ok, err := s.Row(ctx, "SELECT User_password AS password FROM mysql.slave_master_info WHERE Channel_name = ?", r.name())
		if err != nil {
			return fmt.Errorf("read the link's password: %w", err)
		}
		l.password, l.kept = row.Text("password"), ok
		return nil
	}
	row, _, err := s.Row(ctx, "SELECT @@datadir AS dir")
	if err != nil {
		return fmt.Errorf("read where the data is: %w", err)
	}
	file := "master.info"
	if r.name() != "" {
		file = "master-" + strings.ToLower(r.name()) + ".info"
	}
	text, err := host.ReadFile(h, path.Join(row.Text("dir"), file))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil // then what the primary says of it has to do
	}
	if err != nil {
		return fmt.Errorf("read the link's password: %w", err)
	}
	if lines := strings.Split(string(text), "\n"); len(lines) > 6 && lines[3] == l.settings["primary_host"] && lines[4] == l.settings["primary_user"] {
		l.password, l.kept = lines[5], true
	}
	return nil
}

// written reports whether the binary logs hold anything. Without GTIDs that
// cannot be seen, and they are taken to.
func written(ctx context.Context, s *mysql.Handle, d dialect) (bool, error) {
	statement := "SELECT IF(@@gtid_mode = 'ON', @@gtid_executed, 'unknown') AS gtid"
	if d.version.MariaDB {
		statement = "SELECT @@gtid_binlog_pos AS gtid"
	}
	row, _, err := s.Row(ctx, statement)
	if err != nil {
		return false, fmt.Errorf("read the server's GTIDs: %w", err)
	}
	logs, err := s.Query(ctx, "SHOW BINARY LOGS")
	if err != nil {
		return false, fmt.Errorf("list the binary logs: %w", err)
	}
	return row.Text("gtid") != "" || len(logs.Rows) > 1, nil
}

func (r *resource) Desired(cur link) (link, error) {
	want := cur
	want.settings = maps.Clone(cur.settings)
	switch r.Mode {
	case "changeprimary":
		return r.changed(cur, want)
	case "startreplica":
		if cur.known && !cur.there {
			return want, errors.New("this server follows no primary: point it at one first, with mode changeprimary")
		}
		want.io, want.sql = true, true
	case "stopreplica":
		want.io, want.sql = false, false
	case "resetreplica":
		want.read = false
	case "resetreplicaall":
		want = link{dialect: cur.dialect, known: cur.known}
	case "resetprimary":
		want.written = false
	}
	return want, nil
}

func (r *resource) changed(cur, want link) (link, error) {
	want.there = true
	if want.settings == nil {
		want.settings = map[string]string{}
	}
	for _, s := range r.settings() {
		if has := only[s.option]; cur.known && has != "" && has != cur.dialect.version.Engine() {
			if s.option == "primary_retry_count" {
				continue
			}
			return want, fmt.Errorf("%s is for %s, this is %s", s.option, has, cur.dialect.version)
		}
		want.settings[s.option] = s.value
	}
	if r.PrimaryPassword != nil {
		want.password, want.kept, want.denied = *r.PrimaryPassword, cur.kept, false
		if !cur.kept && !cur.denied {
			want.password = cur.password
		}
	}
	return want, nil
}

func (r *resource) Diff(cur, want link) []modules.Change {
	var out []modules.Change
	add := func(field string, differs bool, before, after any) {
		if differs {
			out = append(out, modules.Change{Field: field, Before: before, After: after})
		}
	}
	add("replica", cur.there != want.there, cur.there, want.there)
	if r.Mode == "changeprimary" {
		for _, s := range r.differing(cur, want) {
			add(s.option, true, cur.settings[s.option], s.value)
		}
		if r.passwordDiffers(cur, want) {
			out = append(out, modules.Change{Field: "primary_password", Before: cur.password, After: want.password, Sensitive: true})
		}
		return out
	}
	if want.there {
		add("io_thread", cur.io != want.io, running(cur.io), running(want.io))
		add("sql_thread", cur.sql != want.sql, running(cur.sql), running(want.sql))
		add("relay_logs", cur.read != want.read, "read", "none")
	}
	add("binary_logs", cur.written != want.written, "written", "empty")
	return out
}

func running(on bool) string {
	if on {
		return "running"
	}
	return "stopped"
}

// differing are the settings asked for that are not so.
func (r *resource) differing(cur, want link) []setting {
	var out []setting
	for _, s := range r.settings() {
		if w, ok := want.settings[s.option]; ok && (!cur.there || cur.settings[s.option] != w) {
			if s.option == "primary_retry_count" && cur.dialect.version.MariaDB {
				continue
			}
			out = append(out, s)
		}
	}
	return out
}

func (r *resource) passwordDiffers(cur, want link) bool {
	return r.PrimaryPassword != nil && (!cur.there && want.there || cur.kept && cur.password != want.password || !cur.kept && cur.denied)
}
