package inventory

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// readLiteral reads a value of an INI inventory. Ansible takes such values for
// Python literals and, where that fails, for text: numbers, True, False, None,
// quoted strings, lists, tuples (lists here), sets (lists here) and dicts.
// Inside of lists and maps JSON's true, false and null are understood too.
//
// Other than in Python a number with a leading zero in front of digits or an o
// (0644, 0o644) stays text, as everywhere in this project, and so does a whole
// number beyond 64 bits.
//
// literal is false when the value is the text itself.
func readLiteral(text string) (v any, literal bool) {
	p := &literalParser{in: strings.TrimLeft(text, " \t")}
	if strings.HasPrefix(p.in, "{{") {
		return text, false // a template
	}
	v, ok := p.top()
	if !ok {
		return text, false
	}
	return v, true
}

const maxLiteralDepth = 100

type literalParser struct {
	in    string
	i     int
	depth int
}

func (p *literalParser) space() {
	for p.i < len(p.in) && (p.in[p.i] == ' ' || p.in[p.i] == '\t') {
		p.i++
	}
}

func (p *literalParser) peek() byte {
	if p.i < len(p.in) {
		return p.in[p.i]
	}
	return 0
}

// top reads a value, or several with commas between (a tuple), up to the end
// or a comment.
func (p *literalParser) top() (any, bool) {
	v, ok := p.value()
	if !ok {
		return nil, false
	}
	p.space()
	if p.peek() == ',' {
		tail, ok := p.items(0, []any{v})
		if !ok {
			return nil, false
		}
		v = tail
	}
	p.space()
	return v, p.i == len(p.in) || p.peek() == '#'
}

// items reads ", value, value" up to the closing byte, which it eats; 0 means
// the end of the text.
func (p *literalParser) items(end byte, have []any) ([]any, bool) {
	for {
		p.space()
		if p.closes(end) {
			return have, true
		}
		if len(have) > 0 {
			if p.peek() != ',' {
				return nil, false
			}
			p.i++
			p.space()
			if p.closes(end) {
				return have, true
			}
		}
		v, ok := p.value()
		if !ok {
			return nil, false
		}
		have = append(have, v)
	}
}

func (p *literalParser) closes(end byte) bool {
	if end == 0 {
		return p.i == len(p.in) || p.peek() == '#'
	}
	if p.peek() != end {
		return false
	}
	p.i++
	return true
}

func (p *literalParser) value() (any, bool) {
	if p.depth++; p.depth > maxLiteralDepth {
		return nil, false
	}
	defer func() { p.depth-- }()
	p.space()
	switch c := p.peek(); {
	case c == '[':
		p.i++
		return list(p.items(']', []any{}))
	case c == '(':
		return p.parens()
	case c == '{':
		p.i++
		return p.braces()
	case c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+':
		return p.number()
	case stringStart.MatchString(p.in[p.i:]):
		return p.strings()
	}
	return p.word()
}

func list(items []any, ok bool) (any, bool) { return items, ok }

// parens reads a tuple; (x) without a comma is x.
func (p *literalParser) parens() (any, bool) {
	p.i++
	p.space()
	if p.peek() == ')' {
		p.i++
		return []any{}, true
	}
	v, ok := p.value()
	if !ok {
		return nil, false
	}
	p.space()
	if p.peek() == ')' {
		p.i++
		return v, true
	}
	return list(p.items(')', []any{v}))
}

// braces reads a dict, or a set.
func (p *literalParser) braces() (any, bool) {
	p.space()
	if p.peek() == '}' {
		p.i++
		return map[string]any{}, true
	}
	key, ok := p.value()
	if !ok {
		return nil, false
	}
	p.space()
	if p.peek() != ':' {
		return list(p.items('}', []any{key}))
	}
	out := map[string]any{}
	for {
		if p.space(); p.peek() != ':' {
			return nil, false
		}
		p.i++
		v, ok := p.value()
		if !ok {
			return nil, false
		}
		out[value.Text(key)] = v
		p.space()
		if p.peek() == ',' {
			p.i++
			p.space()
		} else if p.peek() != '}' {
			return nil, false
		}
		if p.peek() == '}' {
			p.i++
			return out, true
		}
		if key, ok = p.value(); !ok {
			return nil, false
		}
	}
}

var (
	wordText    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	stringStart = regexp.MustCompile(`^(?i:[rub]|rb|br)?['"]`)
	numberText  = regexp.MustCompile(`^[-+]?[0-9.]+[eE][-+][0-9]+|^[-+]?[0-9.][0-9A-Za-z_.]*`)
	intText     = regexp.MustCompile(`^[-+]?(?:[0-9]+(?:_[0-9]+)*|0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+)$`)
	floatText   = regexp.MustCompile(`^[-+]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$`)
	zeroText    = regexp.MustCompile(`^[-+]?0[0-9oO_]`)
)

func (p *literalParser) word() (any, bool) {
	w := wordText.FindString(p.in[p.i:])
	p.i += len(w)
	switch w {
	case "True":
		return true, true
	case "False":
		return false, true
	case "None":
		return nil, true
	}
	if p.depth > 1 {
		switch w {
		case "true":
			return true, true
		case "false":
			return false, true
		case "null":
			return nil, true
		}
	}
	return nil, false
}

func (p *literalParser) number() (any, bool) {
	text := numberText.FindString(p.in[p.i:])
	p.i += len(text)
	plain := strings.ReplaceAll(text, "_", "")
	switch {
	case text == "" || zeroText.MatchString(text):
		return nil, false
	case intText.MatchString(text):
		n, err := strconv.ParseInt(plain, 0, strconv.IntSize)
		return int(n), err == nil
	case floatText.MatchString(text):
		f, err := strconv.ParseFloat(plain, 64)
		return f, err == nil
	}
	return nil, false
}

// strings reads one or more string literals in a row, which Python joins.
func (p *literalParser) strings() (any, bool) {
	var b strings.Builder
	for stringStart.MatchString(p.in[p.i:]) {
		if !p.oneString(&b) {
			return nil, false
		}
		p.space()
	}
	return b.String(), true
}

func (p *literalParser) oneString(b *strings.Builder) bool {
	raw := false
	for ; p.peek() != '\'' && p.peek() != '"'; p.i++ {
		raw = raw || p.peek() == 'r' || p.peek() == 'R'
	}
	quote := p.in[p.i : p.i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(p.in[p.i:], triple) {
		quote = triple
	}
	for p.i += len(quote); p.i < len(p.in); {
		switch {
		case strings.HasPrefix(p.in[p.i:], quote):
			p.i += len(quote)
			return true
		case p.in[p.i] == '\\' && p.i+1 < len(p.in):
			if raw {
				b.WriteString(p.in[p.i : p.i+2])
				p.i += 2
			} else if !p.escape(b) {
				return false
			}
		default:
			b.WriteByte(p.in[p.i])
			p.i++
		}
	}
	return false
}

var simpleEscapes = map[byte]string{
	'\\': `\`, '\'': `'`, '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

var hexDigits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// escape reads a backslash and what follows; an unknown one stays as it is.
func (p *literalParser) escape(b *strings.Builder) bool {
	c := p.in[p.i+1]
	p.i += 2
	if s, ok := simpleEscapes[c]; ok {
		b.WriteString(s)
		return true
	}
	if n := hexDigits[c]; n > 0 {
		if p.i+n > len(p.in) {
			return false
		}
		r, err := strconv.ParseUint(p.in[p.i:p.i+n], 16, 32)
		if err != nil || r > unicode.MaxRune {
			return false
		}
		p.i += n
		b.WriteRune(rune(r))
		return true
	}
	if c >= '0' && c <= '7' {
		end := p.i
		for end < len(p.in) && end < p.i+2 && p.in[end] >= '0' && p.in[end] <= '7' {
			end++
		}
		r, _ := strconv.ParseUint(p.in[p.i-1:end], 8, 32)
		p.i = end
		b.WriteRune(rune(r))
		return true
	}
	b.WriteByte('\\')
	p.i--
	_, size := utf8.DecodeRuneInString(p.in[p.i:])
	b.WriteString(p.in[p.i : p.i+size])
	p.i += size
	return true
}
