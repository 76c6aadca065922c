package template

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// regexTable: patterns, in Go's syntax (RE2: no look-around, no
// backreferences in the pattern). Ansible's functions take \1 and \g<name> in
// replacements, sprig's $1.
func regexTable() []*function {
	table := []*function{
		{name: "match", min: 2, max: 2, check: checkPattern, call: func(_ *run, a []any) (any, error) { return tested(a, `\A(?:`, `)`) }},
		{name: "search", min: 2, max: 2, check: checkPattern, call: func(_ *run, a []any) (any, error) { return tested(a, "", "") }},
		{name: "regex", min: 2, max: 2, check: checkPattern, call: func(_ *run, a []any) (any, error) { return tested(a, "", "") }},
		{name: "regex_search", min: 2, max: -1, check: checkPattern, call: regexSearch},
		{name: "regex_findall", min: 2, max: 2, check: checkPattern, call: regexFindall},
		{name: "regex_replace", min: 3, max: 3, check: checkPattern, call: regexReplace},
		mustAdapt("regex_escape", regexp.QuoteMeta),
		mustAdapt("regexQuoteMeta", regexp.QuoteMeta),
		withPattern("regexMatch", func(re *regexp.Regexp, s string) any { return re.MatchString(s) }),
		withPattern("regexFind", func(re *regexp.Regexp, s string) any { return re.FindString(s) }),
		mustAdapt("regexFindAll", func(p, s string, n int) ([]string, error) {
			re, err := pattern(p)
			if err != nil {
				return nil, err
			}
			return re.FindAllString(s, n), nil
		}),
		mustAdapt("regexSplit", func(p, s string, n int) ([]string, error) {
			re, err := pattern(p)
			if err != nil {
				return nil, err
			}
			return re.Split(s, n), nil
		}),
		mustAdapt("regexReplaceAll", func(p, s, repl string) (string, error) {
			re, err := pattern(p)
			if err != nil {
				return "", err
			}
			return re.ReplaceAllString(s, repl), nil
		}),
		mustAdapt("regexReplaceAllLiteral", func(p, s, repl string) (string, error) {
			re, err := pattern(p)
			if err != nil {
				return "", err
			}
			return re.ReplaceAllLiteralString(s, repl), nil
		}),
	}
	for _, name := range []string{"regexMatch", "regexFind", "regexFindAll", "regexSplit", "regexReplaceAll", "regexReplaceAllLiteral"} {
		table = append(table, alias(table, "mustR"+name[1:], name))
	}
	for _, f := range table {
		if strings.HasPrefix(f.name, "regex") && !strings.Contains(f.name, "uote") && f.name != "regex_escape" {
			f.check = checkPattern
		}
	}
	return table
}

func withPattern(name string, f func(*regexp.Regexp, string) any) *function {
	return mustAdapt(name, func(p, s string) (any, error) {
		re, err := pattern(p)
		if err != nil {
			return nil, err
		}
		return f(re, s), nil
	})
}

// patterns keeps compiled patterns; they are few, and the same for ever.
var patterns struct {
	sync.RWMutex
	m map[string]*regexp.Regexp
}

const maxPatterns = 4096

func pattern(p string) (*regexp.Regexp, error) {
	patterns.RLock()
	re := patterns.m[p]
	patterns.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return nil, patternError(err)
	}
	patterns.Lock()
	defer patterns.Unlock()
	if patterns.m == nil || len(patterns.m) >= maxPatterns {
		patterns.m = map[string]*regexp.Regexp{}
	}
	patterns.m[p] = re
	return re, nil
}

func patternError(err error) error {
	message := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	hint := ""
	switch {
	case strings.Contains(message, "`(?=") || strings.Contains(message, "`(?!") || strings.Contains(message, "`(?<"):
		hint = "look-around is not in Go's patterns; match more and cut with a group"
	case strings.Contains(message, "invalid escape sequence"):
		hint = "in \"double quotes\" write \\\\. or use `backquotes`; backreferences are not in Go's patterns"
	}
	return &hinted{"invalid pattern: " + message, hint}
}

// checkPattern looks at a constant pattern.
func checkPattern(_ *Engine, args []parse.Node) error {
	if len(args) == 0 {
		return nil
	}
	if s, ok := args[0].(*parse.StringNode); ok {
		_, err := pattern(s.Text)
		return err
	}
	return nil
}

// patternAnd gives the pattern, which comes first, and the text, which is last.
func patternAnd(a []any, before, after string) (*regexp.Regexp, string, error) {
	p, err := textOf(a[0])
	if err != nil {
		return nil, "", fmt.Errorf("the pattern: %w", err)
	}
	s, err := textOf(a[len(a)-1])
	if err != nil {
		return nil, "", err
	}
	re, err := pattern(before + p + after)
	return re, s, err
}

func tested(a []any, before, after string) (any, error) {
	re, s, err := patternAnd(a, before, after)
	if err != nil {
		return nil, err
	}
	return re.MatchString(s), nil
}

// regexSearch gives what matched first, null when nothing did; with groups
// (`regex_search "a(.)" "\\1" .x`) the list of these.
func regexSearch(_ *run, a []any) (any, error) {
	re, s, err := patternAnd(a, "", "")
	if err != nil {
		return nil, err
	}
	m := re.FindStringSubmatch(s)
	if m == nil {
		return nil, nil
	}
	if len(a) == 2 {
		return m[0], nil
	}
	out := []any{}
	for _, g := range a[1 : len(a)-1] {
		ref, err := textOf(g)
		if err != nil {
			return nil, err
		}
		i, err := group(re, ref)
		if err != nil {
			return nil, err
		}
		out = append(out, m[i])
	}
	return out, nil
}

var groupRef = regexp.MustCompile(`^\\(?:(\d+)|g<(\w+)>)$`)

// group is the number of the group that \1 or \g<name> means.
func group(re *regexp.Regexp, ref string) (int, error) {
	m := groupRef.FindStringSubmatch(ref)
	if m == nil {
		return 0, fmt.Errorf(`a group is written "\\1" or "\\g<name>", not %s`, quoted(ref))
	}
	i, err := strconv.Atoi(m[1] + m[2])
	if err != nil {
		i = re.SubexpIndex(m[2])
	}
	if i < 0 || i > re.NumSubexp() {
		return 0, fmt.Errorf("the pattern has no group %s", ref)
	}
	return i, nil
}

// regexFindall gives all matches: texts; with one group, that group's; with
// more, lists of them.
func regexFindall(_ *run, a []any) (any, error) {
	re, s, err := patternAnd(a, "", "")
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		switch len(m) {
		case 1, 2:
			out = append(out, m[len(m)-1])
		default:
			out = append(out, value.Normalize(m[1:]))
		}
	}
	return out, nil
}

func regexReplace(_ *run, a []any) (any, error) {
	re, s, err := patternAnd(a, "", "")
	if err != nil {
		return nil, err
	}
	repl, err := textOf(a[1])
	if err != nil {
		return nil, err
	}
	if repl, err = goReplacement(re, repl); err != nil {
		return nil, err
	}
	if len(repl) > 0 && (len(s)+1)*len(repl) > maxOutput && len(re.FindAllStringIndex(s, -1))*len(repl) > maxOutput {
		return nil, errTooLong
	}
	return re.ReplaceAllString(s, repl), nil
}

var replacementRef = regexp.MustCompile(`\\(?:g<\w+>|\d+|.)|\$`)

// goReplacement turns Python's \1 and \g<name> into Go's ${1}; a dollar is
// itself.
func goReplacement(re *regexp.Regexp, repl string) (string, error) {
	var wrong error
	out := replacementRef.ReplaceAllStringFunc(repl, func(ref string) string {
		switch {
		case ref == "$":
			return "$$"
		case ref == `\n`:
			return "\n"
		case ref == `\t`:
			return "\t"
		case ref == `\\`:
			return `\`
		case !groupRef.MatchString(ref):
			return strings.ReplaceAll(ref, "$", "$$")
		}
		i, err := group(re, ref)
		if err != nil {
			wrong = err
		}
		return fmt.Sprintf("${%d}", i)
	})
	return out, wrong
}
