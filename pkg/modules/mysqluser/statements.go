package mysqluser

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// statement is one statement with its arguments; secrets are mysql.Secret.
type statement struct {
	text string
	args []any
}

// statements are what makes an account cur to want, in the server's dialect.
func (r *resource) statements(name mysql.AccountName, v mysql.Version, cur, want account, siblings bool) []statement {
	if !want.there {
		if !cur.there {
			return nil
		}
		return []statement{{text: "DROP USER " + name.String()}}
	}
	var out []statement
	auth := r.identified(v)
	if cur.there && cur.fits || !cur.there && r.UpdatePassword == "on_new_username" && siblings {
		auth = statement{}
	}
	clauses := r.clauses(cur, want)
	switch {
	case !cur.there:
		out = append(out, statement{"CREATE USER " + name.String() + auth.text + clauses.text, append(auth.args, clauses.args...)})
	case auth.text != "" || clauses.text != "":
		out = append(out, statement{"ALTER USER " + name.String() + auth.text + clauses.text, append(auth.args, clauses.args...)})
	}
	for _, text := range grants(name, cur.privs, want.privs) {
		out = append(out, statement{text: text})
	}
	return out
}

// identified is the clause that says how the account authenticates.
func (r *resource) identified(v mysql.Version) statement {
	with, by, as := " IDENTIFIED WITH "+mysql.Literal(r.Plugin), " BY ?", " AS "
	if v.MariaDB {
		with, by, as = " IDENTIFIED VIA "+r.Plugin, " USING PASSWORD(?)", " USING "
	}
	switch {
	case r.PluginHashString != nil:
		if raw, ok := strings.CutPrefix(*r.PluginHashString, "0x"); ok && !v.MariaDB {
			if _, err := hex.DecodeString(raw); err == nil {
				return statement{text: with + as + "0x" + raw}
			}
		}
		return statement{with + as + "?", []any{mysql.Secret(hashText(*r.PluginHashString))}}
	case r.PluginAuthString != nil:
		return statement{with + by, []any{mysql.Secret(*r.PluginAuthString)}}
	case r.Plugin != "":
		return statement{text: with}
	case r.Password == nil:
		return statement{}
	case r.Encrypted && v.MariaDB:
		return statement{" IDENTIFIED VIA mysql_native_password USING ?", []any{mysql.Secret(*r.Password)}}
	case r.Encrypted:
		return statement{" IDENTIFIED WITH 'mysql_native_password' AS ?", []any{mysql.Secret(*r.Password)}}
	}
	return statement{" IDENTIFIED BY ?", []any{mysql.Secret(*r.Password)}}
}

// hashText is a hash as the server stores it.
func hashText(text string) string {
	if raw, ok := strings.CutPrefix(text, "0x"); ok {
		if b, err := hex.DecodeString(raw); err == nil {
			return string(b)
		}
	}
	return text
}

// clauses are the requirements, limits and lock that differ.
func (r *resource) clauses(cur, want account) statement {
	var s statement
	if cur.tls != want.tls {
		var parts []string
		for _, p := range [][2]string{{"SUBJECT", want.tls.subject}, {"ISSUER", want.tls.issuer}, {"CIPHER", want.tls.cipher}} {
			if p[1] != "" {
				parts = append(parts, p[0]+" ?")
				s.args = append(s.args, p[1])
			}
		}
		if parts == nil {
			parts = []string{want.tls.String()}
		}
		s.text = " REQUIRE " + strings.Join(parts, " AND ")
	}
	with := ""
	for _, l := range r.limits() {
		if cur.limits[l.name] != l.n {
			with += fmt.Sprintf(" %s %d", l.name, l.n)
		}
	}
	if with != "" {
		s.text += " WITH" + with
	}
	switch {
	case want.locked && !cur.locked:
		s.text += " ACCOUNT LOCK"
	case cur.locked && !want.locked:
		s.text += " ACCOUNT UNLOCK"
	}
	return s
}

// grants gives and takes privileges; what is taken comes first, because ALL
// goes as a whole.
func grants(name mysql.AccountName, cur, want mysql.Privileges) []string {
	var out []string
	for _, scope := range scopes(cur, want) {
		gone, new := without(cur, want, scope), without(want, cur, scope)
		if want[scope][mysql.All] {
			gone = only(gone, mysql.GrantOption) // granting ALL covers the rest
		}
		if len(gone) > 0 {
			out = append(out, "REVOKE "+strings.Join(gone, ", ")+" ON "+string(scope)+" FROM "+name.String())
		}
		if len(new) > 0 {
			option := ""
			privs := dropOne(new, mysql.GrantOption)
			if len(privs) < len(new) {
				option = " WITH GRANT OPTION"
			}
			if len(privs) == 0 {
				privs = []string{"USAGE"}
			}
			out = append(out, "GRANT "+strings.Join(privs, ", ")+" ON "+string(scope)+" TO "+name.String()+option)
		}
	}
	return out
}

func only(list []string, one string) []string {
	if len(dropOne(list, one)) < len(list) {
		return []string{one}
	}
	return nil
}

func dropOne(list []string, one string) []string {
	var out []string
	for _, s := range list {
		if s != one {
			out = append(out, s)
		}
	}
	return out
}
