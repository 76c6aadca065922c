package mysql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Handle reads from a server.
type Handle struct {
	session Session
	Version Version
}

// greet finds out what the server is, and sets the session's variables.
func (h *Handle) greet(ctx context.Context, vars map[string]any) error {
	res, err := h.session.Query(ctx, "SELECT @@version AS version, @@version_comment AS comment")
	if err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	if len(res.Rows) != 1 {
		return errors.New("ask for the server's version: it gave none")
	}
	if h.Version, err = ParseVersion(res.Rows[0].Text("version"), res.Rows[0].Text("comment")); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !variableName.MatchString(name) {
			return fmt.Errorf("session_vars: %q is no variable's name", name)
		}
		if _, err := h.session.Exec(ctx, "SET SESSION "+name+" = ?", vars[name]); err != nil {
			return fmt.Errorf("session_vars: set %s: %w", name, err)
		}
	}
	return nil
}

var variableName = regexp.MustCompile(`^[0-9A-Za-z_]+(\.[0-9A-Za-z_]+)?$`)

// VariableName reports whether a name may be a server variable's.
func VariableName(name string) bool { return variableName.MatchString(name) }

// readers are the statements that only read, when nothing in them says
// otherwise.
var (
	readers = regexp.MustCompile(`(?is)^\s*\(?\s*(select|show|describe|desc|explain|table|values|with)\b`)
	writers = regexp.MustCompile(`(?is)\b(into|insert|update|delete|replace|analyze|call|lock|get_lock|release_lock|nextval|setval|sleep|benchmark|master_pos_wait|source_pos_wait)\b|:=`)
)

// ReadOnly reports whether a statement certainly reads only. Of a doubtful one
// it says no.
func ReadOnly(statement string) bool {
	text := strings.TrimRight(strings.TrimSpace(stripQuoted(statement)), "; \t\r\n")
	return readers.MatchString(text) && !writers.MatchString(text) && !strings.Contains(text, ";")
}

// stripQuoted empties quoted texts and names, and takes comments out; a
// comment that servers execute makes the text one that is no reader.
func stripQuoted(statement string) string {
	var b strings.Builder
	for i := 0; i < len(statement); {
		rest := statement[i:]
		switch c := statement[i]; {
		case strings.HasPrefix(rest, "/*!"), strings.HasPrefix(rest, "/*M!"):
			return ";"
		case strings.HasPrefix(rest, "/*"):
			i += 2 + span(rest[2:], "*/")
			b.WriteByte(' ')
		case c == '#', strings.HasPrefix(rest, "-- "):
			i += span(rest, "\n")
			b.WriteByte(' ')
		case c == '\'' || c == '"' || c == '`':
			n := quoted(rest)
			if c != '`' && strings.Contains(rest[:n], `\`) {
				return ";" // where the text ends depends on the server's mode
			}
			i += n
			b.WriteString("''")
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// span is how far it is to the end of mark, or of the text.
func span(text, mark string) int {
	if i := strings.Index(text, mark); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

// quoted is how long the quoted text is with which text begins.
func quoted(text string) int {
	q := text[0]
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && q != '`':
			i++
		case text[i] == q && i+1 < len(text) && text[i+1] == q:
			i++
		case text[i] == q:
			return i + 1
		}
	}
	return len(text)
}

// Query runs one statement that only reads; anything else is refused.
func (h *Handle) Query(ctx context.Context, statement string, args ...any) (Result, error) {
	if !ReadOnly(statement) {
		return Result{}, fmt.Errorf("a plan may only read, this is no SELECT or SHOW: %s", brief(statement))
	}
	return h.session.Query(ctx, statement, args...)
}

// Row runs a Query that gives at most one row; ok is false when it gives none.
func (h *Handle) Row(ctx context.Context, statement string, args ...any) (row Row, ok bool, err error) {
	res, err := h.Query(ctx, statement, args...)
	if err != nil || len(res.Rows) == 0 {
		return nil, false, err
	}
	return res.Rows[0], true, nil
}

func brief(statement string) string {
	words := strings.Fields(statement)
	return strings.Join(words[:min(len(words), 3)], " ") + " …"
}

// Editor changes a server.
type Editor struct {
	*Handle
	// Done are the statements executed so far, secrets hidden.
	Done []string
}

// Hidden stands where a secret was.
const Hidden = "********"

// Secret is an argument that must not show: not in Done, not in an error.
type Secret string

// Exec executes a statement. Arguments of type Secret are hidden in errors.
func (e *Editor) Exec(ctx context.Context, statement string, args ...any) (affected int64, err error) {
	plain, secrets := reveal(args)
	e.Done = append(e.Done, Shown(statement, args))
	affected, err = e.session.Exec(ctx, statement, plain...)
	if err != nil {
		return affected, fmt.Errorf("%s: %w", brief(statement), hide(err, secrets))
	}
	return affected, nil
}

// Run executes a statement that may give rows, or change the server, or both;
// n is how many rows it gave or changed.
func (e *Editor) Run(ctx context.Context, statement string, args ...any) (res Result, n int64, err error) {
	if res, err = e.session.Query(ctx, statement, args...); err != nil {
		return res, 0, err
	}
	if len(res.Columns) > 0 {
		return res, int64(len(res.Rows)), nil
	}
	changed, err := e.session.Query(ctx, "SELECT ROW_COUNT() AS n")
	if err != nil || len(changed.Rows) == 0 {
		return res, 0, err
	}
	return res, int64(max(changed.Rows[0].Int("n"), 0)), nil
}

// Plain executes a statement without arguments as it is; its error is the
// server's.
func (e *Editor) Plain(ctx context.Context, statement string) error {
	_, err := e.session.Exec(ctx, statement)
	return err
}

func reveal(args []any) (plain []any, secrets []string) {
	for _, a := range args {
		if s, ok := a.(Secret); ok {
			secrets = append(secrets, string(s))
			a = string(s)
		}
		plain = append(plain, a)
	}
	return plain, secrets
}

// Shown is a statement for people, with its arguments in place and secrets
// hidden.
func Shown(statement string, args []any) string {
	for _, a := range args {
		text := "'" + strings.ReplaceAll(fmt.Sprint(a), "'", "''") + "'"
		switch a.(type) {
		case Secret:
			text = "'" + Hidden + "'"
		case int, int64, float64, bool:
			text = fmt.Sprint(a)
		}
		statement = strings.Replace(statement, "?", text, 1)
	}
	return statement
}

// hide takes secrets out of what the server said.
func hide(err error, secrets []string) error {
	text := err.Error()
	for _, s := range secrets {
		if s != "" && strings.Contains(text, s) {
			text = strings.ReplaceAll(text, s, Hidden)
		}
	}
	if text == err.Error() {
		return err
	}
	return ServerError(Code(err), strings.TrimPrefix(text, fmt.Sprintf("Error %d", Code(err))))
}
