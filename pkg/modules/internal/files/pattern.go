package files

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// PatternNote says how our regular expressions differ from Ansible's, for
// modules' docs.
const PatternNote = "Regular expressions are Go's (RE2): those of Python without lookahead, lookbehind and " +
	"backreferences inside the pattern; in a replacement \\1, \\g<1> and \\g<name> stand for groups."

// Pattern is a regular expression as an option: it is compiled, with a hint
// when it uses what RE2 lacks, while options are read.
type Pattern struct {
	text string
	re   *regexp.Regexp
}

// DecodeArg compiles the pattern.
func (p *Pattern) DecodeArg(v any) error {
	s, ok := v.(string)
	if !ok {
		s = fmt.Sprint(v)
	}
	re, err := Compile(s)
	if err != nil {
		return err
	}
	p.text, p.re = s, re
	return nil
}

// EncodeArg gives the pattern's text.
func (p *Pattern) EncodeArg() any { return p.text }

// ArgType is "regexp".
func (p *Pattern) ArgType() string { return "regexp" }

// IsSet reports whether the option was given and not empty.
func (p Pattern) IsSet() bool { return p.text != "" }

// String gives the pattern as written.
func (p Pattern) String() string { return p.text }

// Regexp gives the compiled pattern, nil when the option was left out.
func (p Pattern) Regexp() *regexp.Regexp { return p.re }

// Compile compiles a pattern as written for Python. Its \Z is Go's \z.
func Compile(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pythonEnd(pattern))
	if err == nil {
		return re, nil
	}
	for _, op := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.Contains(pattern, op) {
			return nil, fmt.Errorf("the pattern %q uses %s…), which the regular expressions here (RE2) do not have", pattern, op)
		}
	}
	return nil, fmt.Errorf("the pattern %q is wrong: %w", pattern, err)
}

// pythonEnd replaces \Z by \z.
func pythonEnd(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		b.WriteByte(p[i])
		if p[i] == '\\' && i+1 < len(p) {
			i++
			if p[i] == 'Z' {
				b.WriteByte('z')
				continue
			}
			b.WriteByte(p[i])
		}
	}
	return b.String()
}

// ExpandMatch appends template to dst with the groups of one match put in: \1,
// \g<1>, \g<name>; \n, \t, \r and \\ are what they are in Python. match is
// what FindSubmatchIndex gave for src. A group that is not there is an error.
func ExpandMatch(dst []byte, template string, re *regexp.Regexp, src []byte, match []int) ([]byte, error) {
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c != '\\' || i+1 == len(template) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = template[i]; {
		case c >= '0' && c <= '9':
			j := i + 1
			if j < len(template) && c != '0' && template[j] >= '0' && template[j] <= '9' {
				j++
			}
			var err error
			if dst, err = group(dst, template[i:j], re, src, match); err != nil {
				return nil, err
			}
			i = j - 1
		case c == 'g' && strings.HasPrefix(template[i:], "g<") && strings.Contains(template[i:], ">"):
			end := i + strings.IndexByte(template[i:], '>')
			var err error
			if dst, err = group(dst, template[i+2:end], re, src, match); err != nil {
				return nil, err
			}
			i = end
		case c == 'n':
			dst = append(dst, '\n')
		case c == 't':
			dst = append(dst, '\t')
		case c == 'r':
			dst = append(dst, '\r')
		case c == '\\':
			dst = append(dst, '\\')
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst, nil
}

func group(dst []byte, name string, re *regexp.Regexp, src []byte, match []int) ([]byte, error) {
	n, err := strconv.Atoi(name)
	if err != nil {
		n = re.SubexpIndex(name)
	}
	if n < 0 || 2*n+1 >= len(match) {
		return nil, fmt.Errorf("the pattern %q has no group %s", re, name)
	}
	if match[2*n] >= 0 {
		dst = append(dst, src[match[2*n]:match[2*n+1]]...)
	}
	return dst, nil
}

// Lines cuts text into lines that keep their ends.
func Lines(text []byte) []string {
	var out []string
	for line := range strings.Lines(string(text)) {
		out = append(out, line)
	}
	return out
}

// Bare is a line without its end.
func Bare(line string) string { return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r") }

// Ended is a line with an end.
func Ended(line string) string { return strings.TrimSuffix(line, "\n") + "\n" }
