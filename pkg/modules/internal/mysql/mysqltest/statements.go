package mysqltest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// answer is what the server says to statements that begin so.
type answer struct {
	begins string
	give   func(s *State, statement string, args []any) mysql.Result
}

func rows(list ...mysql.Row) mysql.Result {
	out := mysql.Result{Rows: list}
	if len(list) > 0 {
		out.Columns = list[0].Columns()
	}
	return out
}

func (s *State) maria() bool { return strings.Contains(s.Version, "MariaDB") }

func name(user, host any) string { return fmt.Sprintf("'%v'@'%v'", user, host) }

var answers = []answer{
	{"SELECT @@version", func(s *State, _ string, _ []any) mysql.Result {
		return rows(mysql.Row{"version": s.Version, "comment": "test"})
	}},
	{"SELECT DEFAULT_CHARACTER_SET_NAME", func(s *State, _ string, args []any) mysql.Result {
		db, ok := s.Databases[args[0].(string)]
		if !ok {
			return mysql.Result{}
		}
		return rows(mysql.Row{"encoding": db[0], "collation": db[1]})
	}},
	{"SHOW GLOBAL VARIABLES WHERE", func(s *State, _ string, args []any) mysql.Result {
		v, ok := s.Variables[args[0].(string)]
		if !ok {
			return mysql.Result{}
		}
		return rows(mysql.Row{"Variable_name": args[0], "Value": v})
	}},
	{"SELECT VARIABLE_VALUE AS value FROM performance_schema.persisted", func(s *State, _ string, args []any) mysql.Result {
		v, ok := s.Persisted[args[0].(string)]
		if !ok {
			return mysql.Result{}
		}
		return rows(mysql.Row{"value": v})
	}},
	{"SELECT Host AS host FROM mysql.user", func(s *State, _ string, args []any) mysql.Result {
		var out []mysql.Row
		for _, k := range slices.Sorted(maps.Keys(s.Accounts)) {
			if a := s.Accounts[k]; a.User == args[0] {
				out = append(out, mysql.Row{"host": a.Host})
			}
		}
		return rows(out...)
	}},
	{"SELECT plugin,", func(s *State, _ string, args []any) mysql.Result {
		a := s.Accounts[name(args[0], args[1])]
		if a == nil {
			return mysql.Result{}
		}
		locked := "N"
		if a.Locked {
			locked = "Y"
		}
		row := mysql.Row{"plugin": a.Plugin, "authentication_string": a.Hash, "ssl_type": a.TLS, "account_locked": locked}
		for k, v := range a.Limits {
			row[k] = v
		}
		return rows(row)
	}},
	{"SELECT JSON_VALUE", func(s *State, _ string, args []any) mysql.Result {
		return rows(mysql.Row{"locked": fmt.Sprint(s.Accounts[name(args[0], args[1])].Locked)})
	}},
	{"SHOW GRANTS FOR ", func(s *State, statement string, _ []any) mysql.Result {
		who := strings.TrimPrefix(statement, "SHOW GRANTS FOR ")
		return rows(grantLines(who, s.Accounts[who])...)
	}},
	{"SHOW SLAVE STATUS", link}, {"SHOW REPLICA STATUS", link},
	{"SELECT User_password", func(s *State, _ string, _ []any) mysql.Result {
		return rows(mysql.Row{"password": s.Password})
	}},
	{"SELECT @@datadir", func(*State, string, []any) mysql.Result { return rows(mysql.Row{"dir": "/var/lib/mysql/"}) }},
	{"SELECT @@gtid_binlog_pos", gtid}, {"SELECT IF(@@gtid_mode", gtid},
	{"SHOW BINARY LOGS", func(*State, string, []any) mysql.Result { return rows(mysql.Row{"Log_name": "binlog.000001"}) }},
	{"SELECT 1", func(*State, string, []any) mysql.Result { return rows(mysql.Row{"n": 1}) }},
}

func gtid(s *State, _ string, _ []any) mysql.Result { return rows(mysql.Row{"gtid": s.GTID}) }

func link(s *State, _ string, _ []any) mysql.Result {
	if s.Link == nil {
		return mysql.Result{}
	}
	row := mysql.Row{}
	for k, v := range s.Link {
		row[k] = v
	}
	return rows(row)
}

func grantLines(who string, a *Account) []mysql.Row {
	out := []mysql.Row{{"Grants": "GRANT USAGE ON *.* TO " + who}}
	for _, scope := range a.Grants.Scopes() {
		set := maps.Clone(a.Grants[scope])
		tail := ""
		if set[mysql.GrantOption] {
			tail = " WITH GRANT OPTION"
			delete(set, mysql.GrantOption)
		}
		privs := slices.Sorted(maps.Keys(set))
		if len(privs) == 0 {
			privs = []string{"USAGE"}
		}
		out = append(out, mysql.Row{"Grants": "GRANT " + strings.Join(privs, ", ") + " ON " + string(scope) + " TO " + who + tail})
	}
	return out
}

// effect is what statements of a kind do.
type effect struct {
	matches *regexp.Regexp
	do      func(s *State, m []string, args []any) error
}

func on(pattern string, do func(s *State, m []string, args []any) error) effect {
	return effect{regexp.MustCompile("^" + pattern + "$"), do}
}

var effects = []effect{
	on("(?:CREATE|ALTER) DATABASE `(.+?)`(?: CHARACTER SET (\\w+))?(?: COLLATE (\\w+))?", func(s *State, m []string, _ []any) error {
		m[1] = strings.ReplaceAll(m[1], "``", "`")
		db := s.Databases[m[1]]
		if m[2] != "" {
			db = [2]string{m[2], m[2] + "_default"}
		}
		if m[3] != "" {
			db[1] = m[3]
		}
		s.Databases[m[1]] = db
		return nil
	}),
	on("DROP DATABASE `(.*)`", func(s *State, m []string, _ []any) error {
		delete(s.Databases, m[1])
		return nil
	}),
	on(`SET (GLOBAL|PERSIST|PERSIST_ONLY) (\w+) = \?`, func(s *State, m []string, args []any) error {
		if m[1] != "PERSIST_ONLY" {
			s.Variables[m[2]] = fmt.Sprint(args[0])
		}
		if m[1] != "GLOBAL" {
			s.Persisted[m[2]] = fmt.Sprint(args[0])
		}
		return nil
	}),
	on(`(?:CREATE|ALTER) USER '(.*?)'@'(.*?)'( IDENTIFIED (?:BY|WITH '(\w+)' BY|VIA (\w+) USING PASSWORD\()\s?\?\)?)?( REQUIRE (\w+))?( WITH((?: \w+ \d+)+))?( ACCOUNT (UN)?LOCK)?`, account),
	on("DROP USER (.*)", func(s *State, m []string, _ []any) error {
		delete(s.Accounts, m[1])
		return nil
	}),
	on("(GRANT|REVOKE) (.*) (?:TO|FROM) ('.*'@'.*?')( WITH GRANT OPTION)?", grant),
	on("(START|STOP) (?:SLAVE|REPLICA)", func(s *State, m []string, _ []any) error {
		for k := range s.Link {
			if strings.HasSuffix(k, "_Running") {
				s.Link[k] = map[string]string{"START": "Yes", "STOP": "No"}[m[1]]
			}
		}
		return nil
	}),
	on("RESET (?:SLAVE|REPLICA) ALL", func(s *State, _ []string, _ []any) error { s.Link = nil; return nil }),
	on("RESET (?:MASTER|BINARY LOGS AND GTIDS)", func(s *State, _ []string, _ []any) error { s.GTID = ""; return nil }),
	on("CHANGE (?:MASTER|REPLICATION SOURCE) TO (.*)", change),
}

func account(s *State, m []string, args []any) error {
	who := name(m[1], m[2])
	a := s.Accounts[who]
	if a == nil {
		a = &Account{User: m[1], Host: m[2], Plugin: mysql.NativePassword, Limits: map[string]string{}, Grants: mysql.Privileges{}}
		s.Accounts[who] = a
	}
	if m[3] != "" {
		if p := m[4] + m[5]; p != "" {
			a.Plugin = p
		}
		a.Hash = mysql.NativeHash(args[0].(string))
	}
	if m[6] != "" {
		a.TLS = map[string]string{"SSL": "ANY", "X509": "X509", "NONE": ""}[m[7]]
	}
	columns := map[string]string{"MAX_QUERIES_PER_HOUR": "max_questions", "MAX_USER_CONNECTIONS": "max_user_connections"}
	words := strings.Fields(m[9])
	for i := 0; i < len(words); i += 2 {
		a.Limits[columns[words[i]]] = words[i+1]
	}
	if m[10] != "" {
		a.Locked = m[11] == ""
	}
	return nil
}

func grant(s *State, m []string, _ []any) error {
	v, err := mysql.ParseVersion(s.Version, "")
	if err != nil {
		return err
	}
	privs, err := mysql.ParseGrants(v, []string{"GRANT " + m[2] + " TO " + m[3] + m[4]})
	if err != nil {
		return err
	}
	a := s.Accounts[m[3]]
	for scope, set := range privs {
		for p := range set {
			if m[1] == "GRANT" {
				if p == mysql.All {
					clear(a.Grants[scope])
				}
				a.Grants.Add(scope, p)
			} else {
				delete(a.Grants[scope], p)
			}
		}
		if len(a.Grants[scope]) == 0 {
			delete(a.Grants, scope)
		}
	}
	return nil
}

// columns are the status's names of what CHANGE … TO calls otherwise.
var columns = map[string]string{"_HOST": "_Host", "_PORT": "_Port", "_USER": "_User", "_SSL": "_SSL_Allowed", "_SSL_CA": "_SSL_CA_File"}

func change(s *State, m []string, args []any) error {
	word, thread := "Source", "Replica"
	if s.maria() {
		word, thread = "Master", "Slave"
	}
	if s.Link == nil {
		s.Link = map[string]string{thread + "_IO_Running": "No", thread + "_SQL_Running": "No"}
	}
	for _, part := range strings.Split(m[1], ", ") {
		key, v, _ := strings.Cut(part, " = ")
		if v == "?" {
			v, args = fmt.Sprint(args[0]), args[1:]
		}
		key = strings.TrimPrefix(strings.TrimPrefix(key, "SOURCE"), "MASTER")
		switch key {
		case "_PASSWORD":
			s.Password = v
		case "_USE_GTID":
			s.Link["Using_Gtid"] = map[string]string{"slave_pos": "Slave_Pos", "current_pos": "Current_Pos", "no": "No"}[v]
		case "_AUTO_POSITION":
			s.Link["Auto_Position"] = v
		case "_CONNECT_RETRY":
			s.Link["Connect_Retry"] = v
		case "_SSL":
			s.Link[word+columns[key]] = map[string]string{"1": "Yes", "0": "No"}[v]
		default:
			if columns[key] == "" {
				return fmt.Errorf("mysqltest: %s is not understood", key)
			}
			s.Link[word+columns[key]] = v
		}
	}
	return nil
}
