package mysqluser

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// requirement is what TLS connections must show; kind is the server's word: ""
// (nothing), ANY, X509 or SPECIFIED.
type requirement struct{ kind, subject, issuer, cipher string }

type limit struct {
	name string
	n    int
}

// account is the state of one account. Its zero value is none.
type account struct {
	there  bool
	plugin string
	hash   string
	// fits tells that plugin and hash are as the options want them.
	fits   bool
	privs  mysql.Privileges
	tls    requirement
	limits map[string]int // by the option's names
	locked bool
}

// accounts are the accounts the task is about, by host.
type accounts struct {
	version mysql.Version
	// known is false when the server could not be read (a dry run).
	known bool
	// siblings tells that the user has accounts under other hosts.
	siblings bool
	// hosts are all hosts the user has accounts under.
	hosts []string
	list  map[string]account
}

const columns = "plugin, authentication_string, ssl_type, ssl_cipher, x509_issuer, x509_subject, max_questions, max_updates, max_connections, max_user_connections"

// readAccount reads one account.
func readAccount(ctx context.Context, s *mysql.Handle, name mysql.AccountName) (account, error) {
	more := ", account_locked"
	if s.Version.MariaDB {
		more = ""
	}
	row, there, err := s.Row(ctx, "SELECT "+columns+more+" FROM mysql.user WHERE User = ? AND Host = ?", name.User, name.Host)
	if err != nil || !there {
		return account{}, err
	}
	a := account{
		there: true, plugin: row.Text("plugin"), hash: row.Text("authentication_string"),
		tls:    requirement{row.Text("ssl_type"), row.Text("x509_subject"), row.Text("x509_issuer"), row.Text("ssl_cipher")},
		limits: map[string]int{}, locked: row.Text("account_locked") == "Y",
	}
	for option, column := range limitColumns {
		a.limits[option] = row.Int(column)
	}
	if s.Version.MariaDB {
		row, _, err := s.Row(ctx, "SELECT JSON_VALUE(Priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE User = ? AND Host = ?", name.User, name.Host)
		if err != nil {
			return account{}, err
		}
		a.locked = row.Text("locked") == "1" || row.Text("locked") == "true"
	}
	a.privs, err = readPrivileges(ctx, s, name)
	return a, err
}

// readPrivileges reads an account's grants. MySQL lists all global privileges
// one by one, so that they have to be counted to be seen as ALL.
func readPrivileges(ctx context.Context, s *mysql.Handle, name mysql.AccountName) (mysql.Privileges, error) {
	res, err := s.Query(ctx, "SHOW GRANTS FOR "+name.String())
	if err != nil {
		return nil, fmt.Errorf("read the grants of %s: %w", name, err)
	}
	var lines []string
	for _, row := range res.Rows {
		lines = append(lines, row.Text(res.Columns[0]))
	}
	privs, err := mysql.ParseGrants(s.Version, lines)
	if err != nil || s.Version.MariaDB || len(privs[mysql.Global]) < 20 {
		return privs, err
	}
	all, err := s.Query(ctx, "SHOW PRIVILEGES")
	if err != nil {
		return nil, fmt.Errorf("read which privileges there are: %w", err)
	}
	for _, row := range all.Rows {
		p := strings.ToUpper(row.Text("Privilege"))
		if !slices.Contains([]string{"USAGE", "PROXY", mysql.GrantOption}, p) && !privs[mysql.Global][p] {
			return privs, nil
		}
	}
	option := privs[mysql.Global][mysql.GrantOption]
	privs[mysql.Global] = map[string]bool{mysql.All: true}
	if option {
		privs.Add(mysql.Global, mysql.GrantOption)
	}
	return privs, nil
}

// wantPrivileges computes what an account shall have.
func wantPrivileges(o *Options, v mysql.Version, have mysql.Privileges) (mysql.Privileges, error) {
	if o.Priv == nil {
		return have, nil
	}
	asked, err := mysql.ParseWanted(v, o.Priv)
	if err != nil {
		return nil, err
	}
	out := mysql.Privileges{}
	if o.AppendPrivs || o.SubtractPrivs {
		out = have.Clone()
	}
	for scope, set := range asked {
		for p := range set {
			switch {
			case o.SubtractPrivs && p == mysql.All:
				option := out[scope][mysql.GrantOption]
				out[scope] = map[string]bool{}
				if option {
					out.Add(scope, mysql.GrantOption)
				}
			case o.SubtractPrivs:
				delete(out[scope], p)
			case !o.AppendPrivs || !have.Has(scope, p):
				out.Add(scope, p)
			}
		}
	}
	if o.SubtractPrivs {
		for scope, set := range asked {
			if err := carve(scope, have[scope], set); err != nil {
				return nil, err
			}
		}
	}
	for scope, set := range out {
		if set[mysql.All] {
			out[scope] = map[string]bool{mysql.All: true}
			if set[mysql.GrantOption] {
				out.Add(scope, mysql.GrantOption)
			}
		}
		if len(out[scope]) == 0 {
			delete(out, scope)
		}
	}
	return out, nil
}

// carve refuses to take single privileges out of ALL: what is left then is
// the server's to say, and could not be foreseen.
func carve(scope mysql.Scope, have, take map[string]bool) error {
	if !have[mysql.All] || take[mysql.All] {
		return nil
	}
	for p := range take {
		if p != mysql.GrantOption {
			return fmt.Errorf("subtract_privs: the account has ALL on %s, from which %s alone cannot be taken: set priv to what it shall have", scope, p)
		}
	}
	return nil
}

// without lists what is in a and not in b, sorted; ALL in b covers the rest.
func without(a, b mysql.Privileges, scope mysql.Scope) []string {
	var out []string
	for p := range a[scope] {
		if !b[scope][p] {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
