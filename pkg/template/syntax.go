package template

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// parserError is how the parser words its errors: a line, and no column.
var parserError = regexp.MustCompile(`(?s)^template: :(\d+): (.*)$`)

// startedAt is an addition of the parser that names a line of its own count.
var startedAt = regexp.MustCompile(`\s*(?:in action )?(?:started|start) at :\d+$`)

// syntaxError gives a parser's error its place in the file: the action in
// which it stands, and in it the token that the message names.
func (p *program) syntaxError(err error, d delims) *diag.Diagnostic {
	message, line := err.Error(), 1
	if m := parserError.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = startedAt.ReplaceAllString(m[2], "")
	}
	from, to := p.failingAction(message, line, d)
	action := p.text[from:to]
	if hint, at, ok := jinja(action); ok {
		found := diag.Errorf(p.at(from+at), "%s", hint.message).WithHint("%s", hint.hint)
		return &found
	}
	at := from
	if token := namedToken(message); token != "" {
		if i := strings.Index(action[min(len(d.left), len(action)):], token); i >= 0 {
			at = from + len(d.left) + i
		}
	}
	found := diag.Errorf(p.at(at), "template: %s", clearer(message))
	return &found
}

// dangling finds a | with nothing behind it, which the parser lets pass.
func (p *program) dangling(d delims) *diag.Diagnostic {
	for _, s := range actions(p.text, d) {
		inner := strings.TrimSuffix(withoutStrings(p.text[s.from:s.to]), d.right)
		inner = strings.TrimRight(strings.TrimSuffix(inner, " -"), " \t\r\n")
		if strings.HasSuffix(inner, "|") {
			found := diag.Errorf(p.at(s.from+len(inner)-1), "template: a function is missing behind |")
			return &found
		}
	}
	return nil
}

// clearer puts the parser's tersest messages into words.
func clearer(message string) string {
	switch {
	case message == "unexpected EOF":
		return "a block (if, range, with, define) has no {{ end }}"
	case strings.HasPrefix(message, "unclosed action"):
		return "an action is not closed with }}"
	case strings.HasPrefix(message, "unexpected {{end}}"):
		return "an {{ end }} without its if, range, with or define"
	case strings.HasPrefix(message, "missing value for"):
		return message + ": an expression is missing"
	}
	return message
}

// failingAction finds the action that the parser stopped in: the first whose
// prefix of the text fails with the same message.
func (p *program) failingAction(message string, line int, d delims) (from, to int) {
	spans := actions(p.text, d)
	if len(spans) == 0 {
		return 0, len(p.text)
	}
	for _, s := range spans {
		if strings.Count(p.text[:s.to], "\n")+1 < line {
			continue
		}
		t := parse.New("")
		t.Mode = parse.SkipFuncCheck
		_, err := t.Parse(p.text[:s.to], d.left, d.right, map[string]*parse.Tree{})
		if err != nil && strings.HasSuffix(startedAt.ReplaceAllString(err.Error(), ""), message) && message != "unexpected EOF" {
			return s.from, s.to
		}
	}
	if message == "unexpected EOF" {
		return p.openBlock(spans, d)
	}
	last := spans[len(spans)-1]
	return last.from, last.to
}

// openBlock finds the block that has no end.
func (p *program) openBlock(spans []span, d delims) (from, to int) {
	var open []span
	for _, s := range spans {
		inner := strings.TrimSuffix(p.text[s.from:s.to], d.right)
		word := strings.Fields(strings.TrimLeft(strings.TrimPrefix(inner, d.left), "- "))
		if len(word) == 0 {
			continue
		}
		switch strings.TrimSuffix(word[0], "-") {
		case "if", "range", "with", "define", "block":
			open = append(open, s)
		case "end":
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		open = spans
	}
	s := open[len(open)-1]
	return s.from, s.to
}

type span struct{ from, to int }

// actions lists where the text's actions are; strings and comments in them
// may hold the delimiter.
func actions(text string, d delims) []span {
	var out []span
	at := 0
	for {
		i := strings.Index(text[at:], d.left)
		if i < 0 {
			return out
		}
		from := at + i
		to := actionEnd(text, from+len(d.left), d.right)
		out = append(out, span{from, to})
		at = to
	}
}

func actionEnd(text string, at int, right string) int {
	if rest := strings.TrimPrefix(text[at:], "- "); strings.HasPrefix(rest, "/*") {
		if i := strings.Index(rest, "*/"); i >= 0 {
			at = len(text) - len(rest) + i
		}
	}
	quote := byte(0)
	for i := at; i < len(text); i++ {
		switch c := text[i]; {
		case quote == 0 && strings.HasPrefix(text[i:], right):
			return i + len(right)
		case quote == 0 && (c == '"' || c == '`'):
			quote = c
		case quote == '"' && c == '\\':
			i++
		case c == quote, c == '\n' && quote == '"':
			quote = 0
		}
	}
	return len(text)
}

// tokenPatterns are the ways in which the parser names the token it stopped
// at.
var tokenPatterns = []*regexp.Regexp{
	regexp.MustCompile(`bad character U\+[0-9A-F]+ '(.)'`),
	regexp.MustCompile(`unexpected "((?:[^"\\]|\\.)*)"\.*(?: in|$)`),
	regexp.MustCompile(`unexpected <([^>]*)>`),
	regexp.MustCompile(`bad number syntax: "([^"]*)"`),
	regexp.MustCompile(`undefined variable "([^"]*)"`),
	regexp.MustCompile(`unexpected \{\{(\w+)`),
	regexp.MustCompile(`non executable command in pipeline stage (\d+)`),
	regexp.MustCompile(`bad character constant: (.*)$`),
}

func namedToken(message string) string {
	for i, re := range tokenPatterns {
		if m := re.FindStringSubmatch(message); m != nil {
			if i == 6 {
				return "|"
			}
			return m[1]
		}
	}
	return ""
}

// note is a recognised mistake: what it is, and what to write instead.
type note struct{ message, hint string }

// jinjaisms are pieces of Jinja's syntax that Go templates do not have, looked
// for in an action that does not parse. A group in the pattern is the place.
var jinjaisms = []struct {
	re   *regexp.Regexp
	note note
}{
	{regexp.MustCompile(`\bis\s+(?:not\s+)?defined\b`), note{"`is defined` is Jinja's", "write `defined .x` or `undefined .x`"}},
	{regexp.MustCompile(`\bis\s+(?:not\s+)?[a-z_]+`), note{"`is …` is Jinja's: tests are functions", "write `failed .result`, `not (changed .result)`, `.x | match \"…\"`"}},
	{regexp.MustCompile(`==`), note{"`==` is Jinja's: comparisons are functions", "write `eq .x \"y\"`"}},
	{regexp.MustCompile(`!=`), note{"`!=` is Jinja's: comparisons are functions", "write `ne .x \"y\"`"}},
	{regexp.MustCompile(`[^-](>|<)`), note{"comparisons are functions", "write `gt .x 5`, `ge .x 5`, `lt .x 5` or `le .x 5`"}},
	{regexp.MustCompile(`\S\s+(if)\s.*\selse\s`), note{"`x if y else z` is Jinja's", "write `ternary .x .z .y`, or {{ if .y }} … {{ else }} … {{ end }}"}},
	{regexp.MustCompile(`'(?:[^'\\]{2,}|)'`), note{"single quotes do not make a string", "use \"double quotes\" or `backquotes`"}},
	{regexp.MustCompile(`\.[A-Za-z_]\w*\[|\w\[`), note{"`x[…]` is Jinja's", "write `index .x \"key\"` or `index .list 0`"}},
	{regexp.MustCompile(`\[`), note{"[ ] is Jinja's list", "write `list \"a\" \"b\"`"}},
	{regexp.MustCompile(`\w\(.*,.*\)`), note{"arguments stand apart with spaces, without commas and parentheses", "write `f \"a\" \"b\"`"}},
	{regexp.MustCompile(`[A-Za-z_]\w*\(`), note{"a function's arguments stand behind it, without parentheses", "write `default \"x\"`"}},
	{regexp.MustCompile(`,\s`), note{"arguments stand apart with spaces, without commas", "write `f \"a\" \"b\"`"}},
	{regexp.MustCompile(`\s(~)\s`), note{"`~` is Jinja's", "write `print .a .b`, or the texts beside each other"}},
	{regexp.MustCompile(`\s([-+*/%])\s`), note{"arithmetic is done with functions", "write `add 1 .x`, `sub .x 1`, `mul`, `div`, `mod`"}},
	{regexp.MustCompile(`\b\w+=\S`), note{"named arguments are Jinja's", "give the arguments in order"}},
	{regexp.MustCompile(`\.\d`), note{"a list's item is not a field", "write `index .list 0`"}},
}

var stringLiteral = regexp.MustCompile("(?s)/\\*.*?\\*/|\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*`")

// withoutStrings blanks proper strings, which are no syntax, and comments.
func withoutStrings(action string) string {
	return stringLiteral.ReplaceAllStringFunc(action, func(s string) string { return strings.Repeat("_", len(s)) })
}

// jinja recognises Jinja's syntax in an action, and where in it.
func jinja(action string) (n note, at int, ok bool) {
	bare := withoutStrings(action)
	for _, j := range jinjaisms {
		if loc := j.re.FindStringSubmatchIndex(bare); loc != nil {
			return j.note, loc[len(loc)-2], true
		}
	}
	return note{}, 0, false
}

// blockTag is a Jinja statement.
var blockTag = regexp.MustCompile(`\{%[-+]?\s*(if|elif|else|endif|for|endfor|set|endset|include|import|from|extends|block|endblock|macro|endmacro|raw|endraw|filter|endfilter|call|endcall|do)\b[^%]*%\}`)

// blockTags reports Jinja statements in what is plain text here.
func (p *program) blockTags(list *diag.List) {
	for _, m := range blockTag.FindAllStringSubmatchIndex(p.text, -1) {
		word := p.text[m[2]:m[3]]
		list.Add(diag.Errorf(p.at(m[0]), "{%% %s … %%} is Jinja's and would be left as it stands", word).
			WithHint("%s", instead(word)))
	}
}

func instead(word string) string {
	const literally = ` (or "{{ "{%" }}" to print it)`
	switch word {
	case "if", "elif", "else", "endif":
		return fmt.Sprintf("write {{ if … }}, {{ else if … }}, {{ else }} and {{ end }}%s", literally)
	case "for", "endfor":
		return "write {{ range $x := .list }} … {{ end }}" + literally
	case "set", "endset", "do":
		return "write {{ $x := … }}" + literally
	case "include", "import", "from":
		return `write {{ lookup "template" "file" }} or {{ include "name" . }}` + literally
	case "macro", "endmacro", "block", "endblock", "extends", "call", "endcall":
		return `write {{ define "name" }} … {{ end }} and {{ include "name" . }}` + literally
	}
	return "it has no counterpart; leave it out" + literally
}
