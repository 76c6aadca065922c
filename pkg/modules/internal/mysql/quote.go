package mysql

import (
	"regexp"
	"strings"
)

// Name quotes the name of a database, table or column.
func Name(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// Literal quotes a text that can hold no backslash and no quote, such as a
// variable's name or a plugin's; others go as arguments.
func Literal(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// AccountName is a user and where it comes from.
type AccountName struct{ User, Host string }

// String is the name as it is written in SQL: 'app'@'%'.
func (a AccountName) String() string { return Literal(a.User) + "@" + Literal(a.Host) }

// pluginName is what an authentication plugin may be called.
var pluginName = regexp.MustCompile(`^[0-9A-Za-z_]+$`)

// PluginName reports whether a name may be an authentication plugin's.
func PluginName(name string) bool { return pluginName.MatchString(name) }

// unquote takes the quotes of a name or text off and resolves doubled ones and
// backslashes.
func unquote(text string) string {
	if len(text) < 2 || !strings.ContainsRune("`'\"", rune(text[0])) || text[len(text)-1] != text[0] {
		return text
	}
	q, inner := text[:1], text[1:len(text)-1]
	if q == "`" {
		return strings.ReplaceAll(inner, "``", "`")
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if (inner[i] == '\\' || inner[i] == q[0]) && i+1 < len(inner) {
			i++
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}
