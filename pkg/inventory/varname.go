package inventory

import (
	"regexp"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkVarName refuses names that cannot stand behind a template's dot, and
// warns of misspelt connection variables, which would otherwise have no effect
// and no voice. What a program printed (no line) is not its reader's to mend.
func checkVarName(name string, pos diag.Pos) []diag.Diagnostic {
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
