package mysql

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// GrantOption is the privilege to pass one's privileges on.
const GrantOption = "GRANT OPTION"

// All are all privileges of a scope, but not GrantOption.
const All = "ALL PRIVILEGES"

// Scope is what privileges are on, as SQL has it: *.*, `shop`.*,
// `shop`.`orders`, PROCEDURE `shop`.`pay`.
type Scope string

// Global is the scope of the whole server.
const Global Scope = "*.*"

// Privileges are the privileges of an account: a set for each scope. A
// privilege on a column is "SELECT (`name`)".
type Privileges map[Scope]map[string]bool

// Clone copies the privileges.
func (p Privileges) Clone() Privileges {
	out := Privileges{}
	for scope, set := range p {
		out[scope] = maps.Clone(set)
	}
	return out
}

// Add adds privileges to a scope.
func (p Privileges) Add(scope Scope, privs ...string) {
	if p[scope] == nil {
		p[scope] = map[string]bool{}
	}
	for _, one := range privs {
		p[scope][one] = true
	}
}

// Has reports whether a privilege is there, by itself or by All.
func (p Privileges) Has(scope Scope, priv string) bool {
	return p[scope][priv] || p[scope][All] && priv != GrantOption
}

// Scopes are the scopes, sorted.
func (p Privileges) Scopes() []Scope { return slices.Sorted(maps.Keys(p)) }

// List writes the privileges for people and results: scope and sorted names.
func (p Privileges) List() map[string]any {
	out := map[string]any{}
	for scope, set := range p {
		if len(set) > 0 {
			out[string(scope)] = strings.Join(slices.Sorted(maps.Keys(set)), ", ")
		}
	}
	return out
}

// aliases are other names of privileges, in both dialects and in one.
var (
	aliases = map[string]string{
		"ALL": All, "GRANT": GrantOption, "CREATE TEMPORARY TABLE": "CREATE TEMPORARY TABLES",
	}
	mariaAliases = map[string]string{
		"REPLICATION CLIENT": "BINLOG MONITOR", "REPLICA MONITOR": "SLAVE MONITOR", "REPLICATION REPLICA": "REPLICATION SLAVE",
		"REPLICATION REPLICA ADMIN": "REPLICATION SLAVE ADMIN", "DELETE VERSIONING ROWS": "DELETE HISTORY",
	}
)

// Canonical gives privileges the names the server prints.
func (v Version) Canonical(priv string) string {
	name := strings.Join(strings.Fields(strings.ToUpper(priv)), " ")
	if to, ok := aliases[name]; ok {
		name = to
	}
	if to, ok := mariaAliases[name]; ok && v.MariaDB && v.AtLeast(10, 5, 2) {
		name = to
	}
	return name
}

// ParseGrants reads the lines of SHOW GRANTS. Roles, proxies and MySQL's
// partial revokes are passed over: they are no privileges of ours to manage.
func ParseGrants(v Version, lines []string) (Privileges, error) {
	out := Privileges{}
	for _, line := range lines {
		if err := parseGrant(v, line, out); err != nil {
			return nil, err
		}
	}
	delete(out[Global], "USAGE")
	return out, nil
}

func parseGrant(v Version, line string, out Privileges) error {
	text, ok := strings.CutPrefix(line, "GRANT ")
	if !ok {
		if strings.HasPrefix(line, "REVOKE ") || strings.HasPrefix(line, "SET DEFAULT ROLE ") {
			return nil
		}
		return fmt.Errorf("SHOW GRANTS gave a line that is not understood: %.60q", line)
	}
	words := lex(text)
	on, to := slices.Index(words, "ON"), slices.Index(words, "TO")
	if to < 0 {
		return fmt.Errorf("SHOW GRANTS gave a line without TO: %.60q", line)
	}
	if on < 0 || on > to || words[0] == "PROXY" {
		return nil
	}
	scope, err := scopeOf(words[on+1 : to])
	if err != nil {
		return fmt.Errorf("SHOW GRANTS: %w", err)
	}
	privs, err := privilegesOf(v, words[:on])
	if err != nil {
		return fmt.Errorf("SHOW GRANTS: %w", err)
	}
	out.Add(scope, privs...)
	delete(out[scope], "USAGE")
	for i := to + 1; i+1 < len(words); i++ {
		if words[i] == "GRANT" && words[i+1] == "OPTION" {
			out.Add(scope, GrantOption)
		}
	}
	return nil
}

// lex splits SQL into words, quoted texts and single signs.
func lex(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'' || c == '"' || c == '`':
			n := quoted(text[i:])
			out = append(out, text[i:i+n])
			i += n
		case strings.IndexByte("(),.@*", c) >= 0:
			out = append(out, string(c))
			i++
		default:
			n := strings.IndexAny(text[i:], " \t\n\r'\"`(),.@*")
			if n < 0 {
				n = len(text) - i
			}
			out = append(out, text[i:i+n])
			i += n
		}
	}
	return out
}

// routine kinds stand before a routine's name.
var kinds = []string{"TABLE", "FUNCTION", "PROCEDURE", "PACKAGE"}

// scopeOf makes a scope of its words.
func scopeOf(words []string) (Scope, error) {
	prefix := ""
	for len(words) > 0 && slices.Contains(append(kinds, "BODY"), strings.ToUpper(words[0])) && !(len(words) > 1 && words[1] == ".") {
		if kind := strings.ToUpper(words[0]); kind != "TABLE" {
			prefix += kind + " "
		}
		words = words[1:]
	}
	if len(words) != 3 || words[1] != "." {
		return "", fmt.Errorf("%q is no database.table", strings.Join(words, ""))
	}
	part := func(word string) string {
		if word == "*" {
			return word
		}
		return Name(unquote(word))
	}
	return Scope(prefix + part(words[0]) + "." + part(words[2])), nil
}

// privilegesOf reads a list of privileges between commas, some with columns.
func privilegesOf(v Version, words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, errors.New("no privilege is named")
	}
	var out []string
	for len(words) > 0 {
		var name []string
		for len(words) > 0 && words[0] != "," && words[0] != "(" {
			name, words = append(name, words[0]), words[1:]
		}
		if len(name) == 0 {
			return nil, errors.New("a privilege without a name")
		}
		priv := v.Canonical(strings.Join(name, " "))
		columns := false
		if len(words) > 0 && words[0] == "(" {
			columns = true
			end := slices.Index(words, ")")
			if end < 0 {
				return nil, fmt.Errorf("columns of %s without an end", priv)
			}
			for _, w := range words[1:end] {
				if w != "," {
					out = append(out, priv+" ("+Name(unquote(w))+")")
				}
			}
			words = words[end+1:]
		}
		if !columns {
			out = append(out, priv)
		}
		if len(words) > 0 {
			if words[0] != "," {
				return nil, fmt.Errorf("%q after the privilege %s", words[0], priv)
			}
			if words = words[1:]; len(words) == 0 {
				return nil, errors.New("a comma at the end")
			}
		}
	}
	return out, nil
}

// privilegeName is what a privilege may be called: it goes into statements as
// it is.
var privilegeName = regexp.MustCompile("^[A-Z][A-Z0-9_ ]*( \\(`(``|[^`])*`\\))?$")

// ParseWanted reads the option priv: "db.table:PRIV,PRIV/…", or a map of
// scopes to such lists.
func ParseWanted(v Version, priv any) (Privileges, error) {
	entries := map[string]string{}
	switch p := priv.(type) {
	case string:
		for _, entry := range splitOutside(p, '/') {
			scope, list, ok := cutOutside(entry, ':')
			if !ok {
				return nil, fmt.Errorf("priv: %q has no colon between scope and privileges", entry)
			}
			entries[scope] = join(entries[scope], list)
		}
	case map[string]any:
		for scope, list := range p {
			text, err := listText(list)
			if err != nil {
				return nil, fmt.Errorf("priv: %s: %w", scope, err)
			}
			entries[scope] = text
		}
	default:
		return nil, fmt.Errorf("priv must be a text or a map, not %T", priv)
	}
	out := Privileges{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		scope, err := scopeOf(lex(strings.TrimSpace(name)))
		if err != nil {
			return nil, fmt.Errorf("priv: %w", err)
		}
		privs, err := privilegesOf(v, lex(entries[name]))
		if err != nil {
			return nil, fmt.Errorf("priv: %s: %w", name, err)
		}
		for _, p := range privs {
			if !privilegeName.MatchString(p) {
				return nil, fmt.Errorf("priv: %s: %q is no privilege", name, p)
			}
		}
		out.Add(scope, privs...)
		delete(out[scope], "USAGE")
	}
	return out, nil
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "," + b
}

func listText(list any) (string, error) {
	switch l := list.(type) {
	case string:
		return l, nil
	case []any:
		var out string
		for _, one := range l {
			s, ok := one.(string)
			if !ok {
				return "", fmt.Errorf("%v is no privilege", one)
			}
			out = join(out, s)
		}
		return out, nil
	}
	return "", fmt.Errorf("privileges are a text or a list, not %T", list)
}

// splitOutside splits at sep where it is in no quotes.
func splitOutside(text string, sep byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '`' || c == '\'' || c == '"':
			i += quoted(text[i:]) - 1
		case c == sep:
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	return append(out, text[start:])
}

func cutOutside(text string, sep byte) (before, after string, ok bool) {
	parts := splitOutside(text, sep)
	if len(parts) < 2 {
		return text, "", false
	}
	return parts[0], text[len(parts[0])+1:], true
}
