package vars

import (
	"strings"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// extraFile is what positions of -e name as their file.
const extraFile = "-e"

// ParseExtra reads the argument of -e: `k=v k2='a b'` (all values are text), a
// map in YAML or JSON, or @file with such a map. Values may be templates.
func ParseExtra(text string, e *template.Engine) (map[string]Var, diag.List) {
	trimmed := strings.TrimSpace(text)
	if file, ok := strings.CutPrefix(trimmed, "@"); ok {
		return LoadFile(file, e)
	}
	if strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "{{") || yamlLike(trimmed) {
		n, list := source.Parse(extraFile, []byte(text))
		if n == nil {
			return nil, list
		}
		out, more := FromNode(n, e)
		list.Merge(more)
		return out, list
	}
	return pairs(text, e)
}

// yamlLike tells `k: v` from `k=v`: a colon and a space before any equals sign.
func yamlLike(s string) bool {
	colon := strings.Index(s, ": ")
	if strings.HasSuffix(s, ":") && colon < 0 {
		colon = len(s) - 1
	}
	equals := strings.IndexByte(s, '=')
	return colon >= 0 && (equals < 0 || colon < equals)
}

// pairs reads k=v words as a shell would: quotes hold them together, a
// backslash keeps the next character.
func pairs(text string, e *template.Engine) (map[string]Var, diag.List) {
	var list diag.List
	out := map[string]Var{}
	for _, w := range words(text, &list) {
		key, val, ok := strings.Cut(w.text, "=")
		switch {
		case !ok:
			list.Add(diag.Errorf(w.pos, "%q is no variable", w.text).WithHint(`write name=value, '{"name": "value"}' or @file`))
			continue
		case !name.MatchString(key):
			list.Add(badName(key, w.pos))
			continue
		}
		v, more := e.Compile(&source.Node{Kind: source.String, Scalar: val, Pos: w.pos})
		list.Merge(more)
		out[key] = Var{Value: v, Pos: w.pos}
	}
	return out, list
}

type word struct {
	text string
	pos  diag.Pos
}

func words(text string, list *diag.List) []word {
	var out []word
	var cur strings.Builder
	started, quote, start := false, rune(0), 0
	depth := 0 // of {{ }}: white space in a template does not divide
	flush := func() {
		if started {
			out = append(out, word{cur.String(), at(text, start)})
		}
		cur.Reset()
		started = false
	}
	escaped := false
	for i, r := range text {
		if !started && !strings.ContainsRune(" \t\r\n", r) {
			started, start = true, i
		}
		switch {
		case escaped:
			cur.WriteRune(r)
			escaped = false
		case depth == 0 && r == '\\' && quote != '\'':
			escaped = true
		case depth == 0 && quote != 0 && r == quote:
			quote = 0
		case depth == 0 && quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && depth == 0 && strings.ContainsRune(" \t\r\n", r):
			flush()
		default:
			cur.WriteRune(r)
			switch {
			case strings.HasSuffix(cur.String(), "{{"):
				depth = 1
			case strings.HasSuffix(cur.String(), "}}"):
				depth = 0
			}
		}
	}
	if quote != 0 {
		list.Errorf(at(text, start), "the quote %c is not closed", quote)
	}
	flush()
	return out
}

// at is a place in the argument of -e.
func at(text string, offset int) diag.Pos {
	before := text[:offset]
	line := strings.Count(before, "\n")
	return diag.Pos{File: extraFile, Line: line + 1, Col: utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1}
}
