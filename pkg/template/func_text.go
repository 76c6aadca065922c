package template

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// textTable: text and paths.
func textTable() []*function {
	table := []*function{
		{name: "print", max: -1, call: func(_ *run, a []any) (any, error) { return fmt.Sprint(printable(a)...), nil }},
		{name: "println", max: -1, call: func(_ *run, a []any) (any, error) { return fmt.Sprintln(printable(a)...), nil }},
		{name: "printf", min: 1, max: -1, call: printf},
		{name: "string", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return value.Text(a[0]), nil }},
		{name: "bool", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return value.Bool(a[0]) }},
		{name: "quote", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return shellQuote(value.Text(a[0])), nil }},
		{name: "dquote", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return fmt.Sprintf("%q", value.Text(a[0])), nil }},
		{name: "squote", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return "'" + value.Text(a[0]) + "'", nil }},
		{name: "comment", min: 1, max: 2, call: comment},
		mustAdapt("split", split),
		mustAdapt("lines", func(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }),
		mustAdapt("capitalize", capitalize),
		mustAdapt("indent", func(n int, s string) (string, error) { return indent(n, s) }),
		mustAdapt("nindent", func(n int, s string) (string, error) {
			out, err := indent(n, s)
			return "\n" + out, err
		}),
		mustAdapt("repeat", repeat),
		mustAdapt("basename", func(p string) string { return base(p) }),
		mustAdapt("dirname", dirname),
		mustAdapt("splitext", splitext),
		mustAdapt("path_join", func(parts []string) string { return joinPaths(parts) }),
		mustAdapt("normpath", func(p string) string { return path.Clean(p) }),
		mustAdapt("html", template.HTMLEscapeString),
		mustAdapt("js", template.JSEscapeString),
		mustAdapt("urlquery", func(s string) string { return template.URLQueryEscaper(s) }),
	}
	return append(table, alias(table, "toString", "string"), alias(table, "urlencode", "urlquery"))
}

// printable are arguments for package fmt: null is nothing, lists and maps are
// JSON.
func printable(a []any) []any {
	out := make([]any, len(a))
	for i, v := range a {
		switch v.(type) {
		case nil, []any, map[string]any:
			out[i] = value.Text(v)
		default:
			out[i] = v
		}
	}
	return out
}

var fmtMistake = regexp.MustCompile(`%!(?:[a-zA-Z]\(|\(|[^ ]?\(NOVERB|v\(PANIC)`)

func printf(_ *run, a []any) (any, error) {
	format, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	if err := sizesOf(format); err != nil {
		return nil, err
	}
	out := fmt.Sprintf(format, printable(a[1:])...)
	if bad := fmtMistake.FindString(out); bad != "" && !strings.Contains(format, bad) {
		return nil, fmt.Errorf("the arguments do not fit the format %s", quoted(format))
	}
	return out, nil
}

var fmtSize = regexp.MustCompile(`%[^a-zA-Z%]*(?:\d{5,}|\*)`)

// sizesOf refuses widths that would fill the memory.
func sizesOf(format string) error {
	if m := fmtSize.FindString(format); m != "" {
		return fmt.Errorf("the width in %s is too large, or not a number", quoted(m))
	}
	return nil
}

var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellQuote makes one word of a text for a POSIX shell.
func shellQuote(s string) string {
	if shellSafe.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

// comment makes a comment block as Ansible's filter does; the decoration is
// "#" or the one given.
func comment(_ *run, a []any) (any, error) {
	s, err := textOf(a[len(a)-1])
	mark := "#"
	if err == nil && len(a) == 2 {
		mark, err = textOf(a[0])
	}
	if err != nil {
		return nil, err
	}
	lines := append([]string{""}, strings.Split(s, "\n")...)
	lines = append(lines, "")
	for i, line := range lines {
		lines[i] = strings.TrimRight(mark+" "+line, " ")
	}
	return strings.Join(lines, "\n"), nil
}

// split gives a list; without a separator it splits at white space. The text
// is the last argument.
func split(args ...string) ([]string, error) {
	switch len(args) {
	case 1:
		return strings.Fields(args[0]), nil
	case 2:
		return strings.Split(args[1], args[0]), nil
	}
	return nil, errors.New(`write .text | split ","`)
}

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + strings.ToLower(s[n:])
}

var errTooLong = fmt.Errorf("the text becomes longer than %d MiB", maxOutput>>20)

func indent(n int, s string) (string, error) {
	if n < 0 {
		return "", errors.New("an indent cannot be negative")
	}
	if n > maxOutput || (strings.Count(s, "\n")+1)*n+len(s) > maxOutput {
		return "", errTooLong
	}
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad), nil
}

func repeat(n int, s string) (string, error) {
	if n < 0 {
		return "", errors.New("a count cannot be negative")
	}
	if n > maxOutput || n*len(s) > maxOutput {
		return "", errTooLong
	}
	return strings.Repeat(s, n), nil
}

// base, dirname and splitext are Python's, which Ansible's filters use: a
// trailing slash counts.
func base(p string) string { return p[strings.LastIndex(p, "/")+1:] }

func dirname(p string) string {
	head := p[:strings.LastIndex(p, "/")+1]
	if trimmed := strings.TrimRight(head, "/"); trimmed != "" {
		return trimmed
	}
	return head
}

func splitext(p string) []string {
	name := base(p)
	dot := strings.LastIndex(name, ".")
	if dot <= 0 || strings.Trim(name[:dot], ".") == "" {
		return []string{p, ""}
	}
	cut := len(p) - len(name) + dot
	return []string{p[:cut], p[cut:]}
}

// joinPaths joins as Python does: an absolute part starts afresh.
func joinPaths(parts []string) string {
	out := ""
	for _, p := range parts {
		switch {
		case out == "" || strings.HasPrefix(p, "/"):
			out = p
		case strings.HasSuffix(out, "/"):
			out += p
		default:
			out += "/" + p
		}
	}
	return out
}
