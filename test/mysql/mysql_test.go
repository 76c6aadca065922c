// Package mysql tests the mysql_* modules and the role mysql_replication on lab
// servers, against MariaDB and against MySQL.
package mysql

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

func TestMain(m *testing.M) { os.Exit(play.Main(m)) }

// secret is the link's password: it may show nowhere.
const secret = `l1nk'"s\ecret`

// site is two database servers of one dialect.
type site struct {
	*lab.Lab
	flavor, client string
	vars           string // a file of variables
}

var dialects = []struct{ suite, flavor, client string }{
	{"bookworm", "mariadb", "mariadb"},
	{"sid", "mysql", "mysql"},
}

func newSite(t *testing.T, suite, flavor, client string) *site {
	t.Helper()
	s := &site{Lab: lab.ForTest(t, lab.Config{Suite: suite, Hosts: []string{"web01", "web02"}}), flavor: flavor, client: client}
	dir := t.TempDir()
	s.vars = play.Write(t, dir, "vars.yml", `
mysql_flavor: `+flavor+`
mysql_primary: web01
mysql_replication_password: `+"'"+strings.ReplaceAll(secret, "'", "''")+"'"+`
mysql_ca_dir: `+dir+`/ca
mysql_databases:
  - {name: shop}
mysql_users:
  - name: shop
    host: localhost
    password: sh0p-secret
    priv: {"shop.*": "SELECT,INSERT,UPDATE,DELETE"}
mysql_backup: {enabled: true, keep: 1}
`)
	return s
}

// run runs the role; what it prints never holds a secret.
func (s *site) run(t *testing.T, args ...string) play.Result {
	t.Helper()
	roles, err := filepath.Abs("../../roles")
	if err != nil {
		t.Fatal(err)
	}
	r := play.Run(t, s.Lab, append([]string{"--roles-path", roles, "-e", "@" + s.vars, "--output", "jsonl", "--diff", "testdata/db.yml"}, args...)...)
	for _, hidden := range []string{secret, `l1nk'\"s`, "sh0p-secret"} {
		if strings.Contains(r.Stdout+r.Stderr, hidden) {
			t.Errorf("a secret shows in what the run printed: %s", hidden)
		}
	}
	return r
}

// on runs a shell script as root on a host.
func (s *site) on(t *testing.T, host, script string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := s.Host(host).Exec(ctx, "sh", "-c", script)
	return strings.TrimSpace(out), err
}

// sql executes statements as root on a host and returns what they print.
func (s *site) sql(t *testing.T, host, statements string) string {
	t.Helper()
	out, err := s.on(t, host, s.client+` -NB <<'END'
`+statements+`
END`)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", host, statements, err, out)
	}
	return out
}

// quiet fails the test unless nothing changed and nothing is in doubt.
func quiet(t *testing.T, r play.Result) {
	t.Helper()
	for host, stats := range r.Must(t, 0).Recap(t) {
		if stats.Changed+stats.Maybe+stats.Failed+stats.Unreachable != 0 || stats.OK == 0 {
			t.Errorf("%s: %+v\n%s", host, stats, strings.Join(touched(t, r), "\n"))
		}
	}
}

// touched lists what was not plainly ok, as "status host: task", without
// items.
func touched(t *testing.T, r play.Result) []string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && l.Item == nil && slices.Contains([]string{"changed", "maybe", "failed"}, l.Status) {
			out = append(out, strings.TrimSpace(l.Status+" "+l.Host+": "+l.Task+" "+l.Msg+l.Reason))
		}
	}
	return out
}

func TestRole(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.flavor, func(t *testing.T) {
			s := newSite(t, d.suite, d.flavor, d.client)
			for _, step := range []struct {
				name string
				test func(*testing.T)
			}{
				{"bad input is refused", s.badInput},
				{"dry run on bare servers", s.bare},
				{"the run", func(t *testing.T) { s.run(t).Must(t, 0) }},
				{"a second run changes nothing", func(t *testing.T) { quiet(t, s.run(t)) }},
				{"a dry run predicts no change", func(t *testing.T) { quiet(t, s.run(t, "--check")) }},
				{"a row reaches the replica", s.row},
				{"the link", s.link},
				{"the replica takes no writes", s.readOnly},
				{"health checks", s.health},
				{"dumps", s.dumps},
				{"drift", s.drift},
				{"a new certificate", s.certificate},
				{"data of one's own is not overwritten", s.ownData},
				{"an interrupted copy", s.interrupted},
				{"after a restart", s.restart},
			} {
				if !t.Run(step.name, step.test) {
					return
				}
			}
		})
	}
}

// badInput is refused by the first tasks, before anything is changed.
func (s *site) badInput(t *testing.T) {
	for name, c := range map[string]struct{ vars, want string }{
		"no primary":                {`{"mysql_primary": ""}`, "there are 0"},
		"a primary nobody knows":    {`{"mysql_primary": "web09"}`, "there are 0"},
		"two primaries":             {`{"mysql_replication_role": "primary"}`, "there are 2"},
		"a replica of itself":       {`{"mysql_replication_role": "replica"}`, "there are 0"},
		"equal ids":                 {`{"mysql_server_id": 7}`, "share an id"},
		"no secret":                 {`{"mysql_replication_password": ""}`, "has no password"},
		"a user without a password": {`{"mysql_users": [{"name": "x"}]}`, "neither password"},
		"another flavor":            {`{"mysql_flavor": "percona"}`, "percona"},
		"half a certificate":        {`{"mysql_tls": {"cert": "/x"}}`, "must have key and ca"},
		"a wrong type":              {`{"mysql_port": "many"}`, "mysql_port"},
	} {
		r := s.run(t, "-e", c.vars)
		if said := r.Stdout + r.Stderr; r.Code == 0 || !strings.Contains(said, c.want) {
			t.Errorf("%s: exit code %d, and it does not say %q:\n%s", name, r.Code, c.want, said)
		}
		if r.Code == 2 {
			for host, stats := range r.Recap(t) {
				if stats.Changed != 0 {
					t.Errorf("%s: %s was changed", name, host)
				}
			}
		}
	}
}

func (s *site) bare(t *testing.T) {
	for host, stats := range s.run(t, "--check").Must(t, 0).Recap(t) {
		if stats.Changed == 0 || stats.Failed+stats.Unreachable != 0 {
			t.Errorf("%s: %+v", host, stats)
		}
	}
	for _, h := range s.Hosts() {
		if out, err := s.on(t, h.Name, "test ! -e /etc/mysql && test ! -e /var/lib/foobar-play"); err != nil {
			t.Errorf("%s was changed: %v\n%s", h.Name, err, out)
		}
	}
}

// caughtUp waits until the replica has all that the primary has.
func (s *site) caughtUp(t *testing.T) {
	t.Helper()
	position, wait := "SELECT @@gtid_binlog_pos", "SELECT MASTER_GTID_WAIT('%', 30)"
	if s.flavor == "mysql" {
		position, wait = "SELECT REPLACE(@@gtid_executed, '\\n', '')", "SELECT WAIT_FOR_EXECUTED_GTID_SET('%', 30)"
	}
	if out := s.sql(t, "web02", strings.Replace(wait, "%", s.sql(t, "web01", position), 1)); out != "0" {
		t.Fatalf("the replica did not catch up: %s", out)
	}
}

func (s *site) row(t *testing.T) {
	s.sql(t, "web01", "CREATE TABLE shop.t (a INT PRIMARY KEY); INSERT INTO shop.t VALUES (42);")
	s.caughtUp(t)
	if out := s.sql(t, "web02", "SELECT a FROM shop.t"); out != "42" {
		t.Errorf("the replica has %q", out)
	}
}

// link is encrypted, waits for the replica, and its account can do no more.
func (s *site) link(t *testing.T) {
	status := "Rpl_semi_sync_master_status"
	if s.flavor == "mysql" {
		status = "Rpl_semi_sync_source_status"
	}
	if out := s.sql(t, "web01", "SHOW STATUS LIKE '"+status+"'"); !strings.HasSuffix(out, "ON") {
		t.Errorf("commits do not wait for the replica: %s", out)
	}
	connect := s.client + ` --user=replication --password='` + strings.ReplaceAll(secret, "'", `'"'"'`) + `' --host=` + s.Host("web01").Addr + " "
	tls, plain := "--ssl-ca=/etc/mysql/ssl/ca.crt --ssl-verify-server-cert", "--skip-ssl"
	if s.flavor == "mysql" {
		tls, plain = "--ssl-ca=/etc/mysql/ssl/ca.crt --ssl-mode=VERIFY_IDENTITY", "--ssl-mode=DISABLED --get-server-public-key"
	}
	if out, err := s.on(t, "web02", connect+tls+` -NBe "SHOW STATUS LIKE 'Ssl_cipher'"`); err != nil || len(strings.Fields(out)) != 2 {
		t.Errorf("with TLS: %v, %s", err, out)
	}
	if out, err := s.on(t, "web02", connect+plain+` -NBe "SELECT 1"`); err == nil {
		t.Errorf("without TLS it was let in: %s", out)
	}
	if out, err := s.on(t, "web02", connect+tls+` -NBe "SELECT * FROM shop.t"`); err == nil {
		t.Errorf("the link's account reads data: %s", out)
	}
	if out := s.sql(t, "web01", "SELECT COUNT(*) FROM mysql.user WHERE User = 'foobar_seed'") + s.sql(t, "web02", "SELECT COUNT(*) FROM mysql.user WHERE User = 'foobar_seed'"); out != "00" {
		t.Errorf("the account of the copy is still there: %s", out)
	}
}

func (s *site) readOnly(t *testing.T) {
	insert := s.client + ` --user=shop --password=sh0p-secret -e "INSERT INTO shop.t VALUES (7)" 2>&1`
	if out, err := s.on(t, "web02", insert); err == nil || !strings.Contains(out+err.Error(), "1290") {
		t.Errorf("a write on the replica: %v, %s", err, out)
	}
	if out, err := s.on(t, "web01", insert); err != nil {
		t.Errorf("a write on the primary: %v, %s", err, out)
	}
}

// health is what a load balancer is told, from the outside.
func (s *site) health(t *testing.T) {
	ask := func(host, path string) (code int, body string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Host(host).Addr+":9200"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, strings.TrimSpace(string(text))
	}
	expect := func(host, path string, want int) {
		t.Helper()
		if code, body := ask(host, path); code != want {
			t.Errorf("%s%s: %d %s, want %d", host, path, code, body, want)
		}
	}
	expect("web01", "/primary", 200)
	expect("web01", "/replica", 503)
	expect("web02", "/primary", 503)
	expect("web02", "/replica", 200)
	expect("web02", "/", 404)
	stop, start := "STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD"
	if s.flavor == "mysql" {
		stop, start = "STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD"
	}
	s.sql(t, "web02", stop)
	expect("web02", "/replica", 503)
	s.sql(t, "web02", start)
}

// dumps are whole, private, and no more than asked for.
func (s *site) dumps(t *testing.T) {
	for range 2 {
		if out, err := s.on(t, "web02", "systemctl start foobar-mysqlbackup && sleep 1"); err != nil { // names are seconds
			t.Fatalf("%v\n%s", err, out)
		}
	}
	out, err := s.on(t, "web02", "cd /var/backups/mysql && stat -c '%a %U' . *.gz && gzip -dc *.gz | grep -c 'INSERT INTO `t` VALUES'")
	if err != nil || out != "700 root\n600 root\n1" {
		t.Errorf("%v\n%s", err, out)
	}
}

// certificate: a new one is used without a restart, and nothing gets into the
// replica's own log by that.
func (s *site) certificate(t *testing.T) {
	pid := func(host string) string {
		out, err := s.on(t, host, "systemctl show -p MainPID "+s.flavor)
		if err != nil {
			t.Fatalf("%s: %v\n%s", host, err, out)
		}
		return out
	}
	other := map[string]string{"web01": "web02", "web02": "web01"}
	serial := func(host string) string {
		out, err := s.on(t, other[host], "openssl s_client -starttls mysql -connect "+s.Host(host).Addr+":3306 -CAfile /etc/mysql/ssl/ca.crt -verify_ip "+s.Host(host).Addr+
			" -verify_return_error </dev/null 2>/dev/null | openssl x509 -noout -serial")
		if err != nil {
			t.Fatalf("%s: %v\n%s", host, err, out)
		}
		return out
	}
	for _, host := range []string{"web01", "web02"} {
		before, process := serial(host), pid(host)
		if _, err := s.on(t, host, "rm /etc/mysql/ssl/server.key"); err != nil {
			t.Fatal(err)
		}
		s.run(t).Must(t, 0)
		if after := serial(host); after == before || pid(host) != process {
			t.Errorf("%s: the certificate is %s, was %s; %s, was %s", host, after, before, pid(host), process)
		}
	}
	s.sql(t, "web01", "INSERT INTO shop.t VALUES (45)")
	s.caughtUp(t)
	quiet(t, s.run(t))
}

// drift breaks one thing after another; a dry run sees exactly that, and a run
// repairs exactly that.
func (s *site) drift(t *testing.T) {
	stop, dir := "STOP SLAVE", "/etc/mysql/mariadb.conf.d/61-foobar-dynamic.cnf"
	forget := "STOP SLAVE; CHANGE MASTER TO MASTER_CONNECT_RETRY = 33; START SLAVE"
	wrong := "STOP SLAVE; CHANGE MASTER TO MASTER_PASSWORD = 'wrong'"
	if s.flavor == "mysql" {
		stop, dir = "STOP REPLICA", "/etc/mysql/mysql.conf.d/zz-foobar-dynamic.cnf"
		forget = "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_CONNECT_RETRY = 33; START REPLICA"
		wrong = "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'wrong'"
	}
	for _, c := range []struct {
		name, host, sql, shell string
		want                   []string
	}{
		{"replica stopped", "web02", stop, "", []string{"changed web02: it follows"}},
		{"link changed", "web02", forget, "", []string{"changed web02: its primary"}},
		{"link's password", "web02", wrong, "", []string{"changed web02: its primary", "changed web02: it follows"}},
		{"grant revoked", "web01", "REVOKE INSERT ON shop.* FROM shop@localhost", "", []string{"changed web01: users"}},
		{"variable changed", "web01", "SET GLOBAL max_connections = 99", "", []string{"changed web01: settings of the running server"}},
		{"configuration edited", "web02", "", "echo 'max_connections = 9' >> " + dir, []string{"changed web02: settings that can change at any time"}},
	} {
		if c.sql != "" {
			s.sql(t, c.host, c.sql)
		} else if _, err := s.on(t, c.host, c.shell); err != nil {
			t.Fatal(err)
		}
		for _, mode := range [][]string{{"--check"}, nil} {
			r := s.run(t, mode...).Must(t, 0)
			var got []string
			for _, line := range touched(t, r) {
				for _, w := range c.want {
					if strings.HasPrefix(line, w) {
						line = w
					}
				}
				got = append(got, line)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %v: %q, want %q", c.name, mode, got, c.want)
			}
		}
	}
	quiet(t, s.run(t))
}

// restart: servers that start again do what they did, by their files alone.
func (s *site) restart(t *testing.T) {
	for _, h := range []string{"web02", "web01"} {
		if out, err := s.on(t, h, "systemctl restart "+s.flavor); err != nil {
			t.Fatalf("%s: %v\n%s", h, err, out)
		}
	}
	s.sql(t, "web01", "INSERT INTO shop.t VALUES (44)")
	s.caughtUp(t)
	quiet(t, s.run(t, "--check"))
}
