package inventory

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/go-multierror"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkVar refuses names that cannot stand behind a template's dot and
// connection variables whose value is of no use, and warns of misspelt
// connection variables, which would otherwise have no effect and no voice. v
// may be nil. What a program printed (no line) is not its reader's to mend.
func checkVar(name string, pos diag.Pos, v *template.Value) []diag.Diagnostic {
	if slices.Contains(connVarNames, name) {
		return checkConnValue(name, v)
	}
	if pos.Line == 0 {
		return nil
	}
	if !identifier.MatchString(name) {
		return []diag.Diagnostic{diag.Errorf(pos, "%q is no name for a variable: letters, digits and _ only, not a digit first", name).
			WithHint("call it %s", fixName(name))}
	}
	if near := nearConnVar(name); near != "" {
		return []diag.Diagnostic{warning(pos, "%q is not a connection variable and has no effect on how the host is reached", name).
			WithHint("did you mean %q?", near)}
	}
	return nil
}

// checkConnValue reads one connection variable beforehand, if it is no
// template.
func checkConnValue(name string, v *template.Value) (out []diag.Diagnostic) {
	lit, ok := v.Literal()
	if !ok {
		return nil
	}
	c, err := ReadConnVars(func(n string) (any, bool, error) { return lit, n == name, nil })
	var all *multierror.Error
	if errors.As(err, &all) {
		for _, e := range all.Errors {
			out = append(out, diag.Errorf(v.Pos(), "%s", e))
		}
	}
	if len(c.IgnoredArgs) > 0 {
		out = append(out, warning(v.Pos(), "%s: no effect here: %s", name, strings.Join(c.IgnoredArgs, " ")).
			WithHint("only ProxyJump is used; the rest belongs into ~/.ssh/config or into flags"))
	}
	return out
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9_]+`)

func fixName(name string) string {
	fixed := strings.Trim(notWord.ReplaceAllString(name, "_"), "_")
	if !identifier.MatchString(fixed) {
		fixed = "_" + fixed
	}
	return fixed
}

// nearConnVar finds the connection variable that name is one or two edits away
// from.
func nearConnVar(name string) string {
	tail, ok := strings.CutPrefix(name, "ansible_")
	if !ok || len(tail) < 3 {
		return ""
	}
	best, dist := "", 3
	for _, k := range connVarNames {
		d := levenshtein.Distance(tail, strings.TrimPrefix(k, "ansible_"), nil)
		if d == 0 {
			return ""
		}
		if d < dist && d <= len(tail)/2 {
			best, dist = k, d
		}
	}
	return best
}

// connVarNames are all names of connection variables, old ones too.
var connVarNames = func() []string {
	var out []string
	for _, v := range ConnectionVars() {
		out = append(append(out, v.Name), v.Aliases...)
	}
	return out
}()
