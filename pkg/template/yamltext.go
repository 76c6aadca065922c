package template

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// yamlText writes a value as block-style YAML with sorted keys, the same bytes
// each time. Text is quoted wherever a reader of YAML 1.1 or 1.2 might take it
// for something else. step is the indentation of maps, in spaces. The last
// line ends with a newline.
//
// It is ours because the YAML library leaves texts such as 1e3 and control
// characters unquoted.
func yamlText(v any, step int) string {
	w := &yamlWriter{step: step}
	w.value(v, 0)
	return w.b.String()
}

type yamlWriter struct {
	b    strings.Builder
	step int
}

// value writes v at the current column, and ends its line; indent is that of
// the lines that follow.
func (w *yamlWriter) value(v any, indent int) {
	switch x := v.(type) {
	case []any:
		if len(x) > 0 {
			w.list(x, indent)
			return
		}
		w.b.WriteString("[]\n")
	case map[string]any:
		if len(x) > 0 {
			w.mapping(x, indent)
			return
		}
		w.b.WriteString("{}\n")
	case string:
		w.text(x, indent)
	case nil:
		w.b.WriteString("null\n")
	default:
		w.b.WriteString(value.Text(x) + "\n")
	}
}

func (w *yamlWriter) list(l []any, indent int) {
	for i, v := range l {
		if i > 0 {
			w.pad(indent)
		}
		w.b.WriteString("- ")
		if nested(v) {
			w.pad(w.step - 2)
		}
		w.value(v, indent+w.step)
	}
}

// nested reports whether a list's item stands in lines of its own.
func nested(v any) bool {
	switch x := v.(type) {
	case []any:
		return len(x) > 0
	case map[string]any:
		return len(x) > 0
	}
	return false
}

func (w *yamlWriter) mapping(m map[string]any, indent int) {
	for i, k := range value.Keys(m) {
		if i > 0 {
			w.pad(indent)
		}
		w.b.WriteString(yamlScalar(k) + ":")
		switch x := m[k].(type) {
		case map[string]any:
			if len(x) > 0 {
				w.b.WriteByte('\n')
				w.pad(indent + w.step)
				w.mapping(x, indent+w.step)
				continue
			}
		case []any:
			if len(x) > 0 {
				w.b.WriteByte('\n')
				w.pad(indent)
				w.list(x, indent)
				continue
			}
		}
		w.b.WriteByte(' ')
		w.value(m[k], indent+w.step)
	}
}

func (w *yamlWriter) pad(n int) { w.b.WriteString(strings.Repeat(" ", n)) }

// text writes several lines as a block, one line as a scalar.
func (w *yamlWriter) text(s string, indent int) {
	if !blockable(s) {
		w.b.WriteString(yamlScalar(s) + "\n")
		return
	}
	chomp := ""
	switch trimmed := strings.TrimRight(s, "\n"); {
	case len(trimmed) == len(s):
		chomp = "-"
	case len(trimmed) < len(s)-1:
		chomp = "+"
	}
	w.b.WriteString("|" + chomp + "\n")
	for _, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		if line != "" {
			w.pad(max(indent, 2))
			w.b.WriteString(line)
		}
		w.b.WriteByte('\n')
	}
}

// blockable reports whether a text can stand as a block and come back equal.
func blockable(s string) bool {
	if !strings.Contains(strings.TrimRight(s, "\n"), "\n") || strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") {
		return false
	}
	for _, line := range strings.Split(s, "\n") {
		if strings.HasSuffix(line, " ") || strings.HasPrefix(line, "\t") {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !plainRune(r) })
}

func plainRune(r rune) bool {
	return r == '\t' || unicode.IsPrint(r) && r != '\ufeff' && r != '\ufffd'
}

var (
	// yamlPlain are texts that need no quotes by their characters.
	yamlPlain = regexp.MustCompile(`^[\pL_./][^\x00-\x1f:#"'` + "`" + `{}\[\],&*!|>%@\\]*$`)
	// yamlOther are texts that some reader takes for another kind of value.
	yamlOther = regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|y|n|null|~|\.nan|[-+]?\.inf|[-+.]?[0-9][-+0-9._:xobe]*|\.|\.\.\.|---|<<|=)$`)
)

// yamlScalar writes one line of text, quoted when it must be.
func yamlScalar(s string) string {
	if yamlPlain.MatchString(s) && !yamlOther.MatchString(s) && !strings.HasSuffix(s, " ") && !strings.ContainsFunc(s, func(r rune) bool { return !plainRune(r) || r == '\t' }) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case plainRune(r):
			b.WriteRune(r)
		case r <= 0xff:
			b.WriteString(`\x` + hex(r, 2))
		case r <= 0xffff:
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteString(`\U` + hex(r, 8))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, digits int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", digits-len(s)) + s
}
