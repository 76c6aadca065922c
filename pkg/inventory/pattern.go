package inventory

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// PatternError says why a host pattern cannot be used.
type PatternError struct {
	// Pattern is the whole pattern, Term the part of it that is wrong.
	Pattern, Term string
	// Problem is a phrase in lower case; Hint, which may be empty, says what to
	// do.
	Problem, Hint string
	// Unknown is true when Term names no host or group there is now (add_host
	// and group_by may make one later).
	Unknown bool
}

// Error gives the pattern, the problem and the hint.
func (e *PatternError) Error() string {
	s := fmt.Sprintf("host pattern %q: %s", e.Pattern, e.Problem)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Match gives the hosts of a pattern, each once, in the order the pattern
// names them, a group's hosts in inventory order.
//
// A pattern is a list of terms with commas or colons between. Plain terms are
// united, then those after & intersected, then those after ! taken away,
// wherever they stand; without a plain term the start is "all". A term is the
// name of a group or of a host; a glob (* ? [ab] [!ab]) or after ~ a regular
// expression (Go's syntax, anchored at the start) that is matched with the
// names of groups and hosts; and any of these but a regular expression may end
// in a position: [0], [-1], [0:2] (both ends included), [1:]. A name with a
// range that is no group is expanded as in an inventory: web[01:03]. A name
// that is both a host's and a group's means the host in a plain term and the
// group after & and !, as in Ansible.
//
// A name that is neither a host nor a group, a broken term, a position outside
// and globs that together match nothing are a *PatternError. Names that exist
// and have no hosts in common give an empty list and no error.
//
// In Ansible an unknown name is a warning, and colons do not separate where
// there are commas.
func (inv *Inventory) Match(pattern string) ([]*Host, error) {
	terms := splitPattern(pattern)
	if len(terms) == 0 {
		return nil, &PatternError{Pattern: pattern, Problem: "it is empty"}
	}
	return inv.match(pattern, terms, nil)
}

// match evaluates terms; base is what terms without a plain one start from, nil
// meaning all hosts.
func (inv *Inventory) match(pattern string, terms []string, base []*Host) ([]*Host, error) {
	var plain, both, less []string
	for _, t := range terms {
		switch t[0] {
		case '&':
			both = append(both, strings.TrimSpace(t[1:]))
		case '!':
			less = append(less, strings.TrimSpace(t[1:]))
		default:
			plain = append(plain, t)
		}
	}
	m := matcher{inv: inv, view: inv.view(), pattern: pattern}
	out := base
	if len(plain) == 0 && base == nil {
		out = m.view.hosts[inv.root]
	}
	if len(plain) > 0 {
		var err error
		if out, err = m.union(plain); err != nil {
			return nil, err
		}
	}
	for _, t := range both {
		hosts, _, err := m.term(t)
		if err != nil {
			return nil, err
		}
		out = keep(out, hosts, true)
	}
	for _, t := range less {
		hosts, _, err := m.term(t)
		if err != nil {
			return nil, err
		}
		out = keep(out, hosts, false)
	}
	return slices.Clone(out), nil
}

// keep gives those of hosts that are (want) or are not in set.
func keep(hosts, set []*Host, want bool) []*Host {
	in := map[string]bool{}
	for _, h := range set {
		in[h.key()] = true
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h *Host) bool { return in[h.key()] != want })
}

// key is the same for all names of the implied localhost.
func (h *Host) key() string {
	if h.implicit {
		return "\x00localhost"
	}
	return h.name
}

// splitPattern splits at commas and colons. Those in brackets belong to a term,
// in a regular expression those in any kind of brackets; an IPv6 address is one
// term.
func splitPattern(pattern string) []string {
	var out []string
	for _, part := range cut(pattern, ',') {
		if isAddr(strings.TrimLeft(part, "&!")) {
			out = append(out, part)
			continue
		}
		out = append(out, cut(part, ':')...)
	}
	return out
}

func cut(s string, sep byte) []string {
	var out []string
	start, depth, isRegexp := 0, 0, false
	add := func(end int) {
		if t := strings.TrimSpace(s[start:end]); t != "" {
			out = append(out, t)
		}
		start, depth, isRegexp = end+1, 0, false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '~' && strings.Trim(s[start:i], " !&") == "":
			isRegexp = true
		case c == '\\' && isRegexp:
			i++
		case c == '[', isRegexp && (c == '(' || c == '{'):
			depth++
		case c == ']', isRegexp && (c == ')' || c == '}'):
			depth = max(0, depth-1)
		case c == sep && depth == 0:
			add(i)
		}
	}
	add(len(s))
	return out
}

type matcher struct {
	inv     *Inventory
	view    *view
	pattern string
}

func (m *matcher) fail(term, hint, format string, args ...any) *PatternError {
	return &PatternError{Pattern: m.pattern, Term: term, Problem: fmt.Sprintf(format, args...), Hint: hint}
}

func (m *matcher) union(terms []string) ([]*Host, error) {
	var out []*Host
	seen := map[*Host]bool{}
	matched := false
	for _, t := range terms {
		hosts, fits, err := m.plain(t)
		if err != nil {
			return nil, err
		}
		matched = matched || fits
		for _, h := range hosts {
			if !seen[h] {
				seen[h] = true
				out = append(out, h)
			}
		}
	}
	if !matched {
		err := m.fail(terms[0], "", "%s matches no host and no group", strings.Join(terms, ", "))
		err.Unknown = true
		return nil, err
	}
	return out, nil
}

// plain is term for one without & and !.
func (m *matcher) plain(t string) ([]*Host, bool, error) {
	if h := m.host(t); h != nil {
		return []*Host{h}, true, nil
	}
	return m.term(t)
}

// position is [n], [a:b] or [a:] at the end of a term.
var position = regexp.MustCompile(`^(.+)\[(?:(-?[0-9]+)|([0-9]+)([:-])([0-9]*))\]$`)

// term gives the hosts of one term without its & or !. matched is false when
// it is a glob or regular expression that fits no name.
func (m *matcher) term(t string) (hosts []*Host, matched bool, err error) {
	if t == "" {
		return nil, false, m.fail(t, "", "& and ! need a host or group after them")
	}
	if t[0] == '~' {
		return m.regexp(t)
	}
	p := position.FindStringSubmatch(t)
	if p == nil || m.inv.Group(p[1]) == nil {
		if hosts, ok := m.expand(t); ok {
			return hosts, true, nil
		}
	}
	if p == nil {
		return m.names(t, t)
	}
	if hosts, matched, err = m.names(t, p[1]); err != nil || !matched {
		return nil, matched, err
	}
	hosts, err = m.slice(t, hosts, p)
	return hosts, true, err
}

func (m *matcher) slice(t string, hosts []*Host, p []string) ([]*Host, error) {
	outside := func(n string) error {
		return m.fail(t, "positions count from 0, [-1] is the last", "%s has %s, none at position %s", p[1], count(len(hosts)), n)
	}
	if p[2] != "" {
		n, err := strconv.Atoi(p[2])
		if err == nil && n < 0 {
			n += len(hosts)
		}
		if err != nil || n < 0 || n >= len(hosts) {
			return nil, outside(p[2])
		}
		return hosts[n : n+1], nil
	}
	if p[4] == "-" {
		return nil, m.fail(t, fmt.Sprintf("write %s[%s:%s] for positions, ~%s[%s-%s] for characters", p[1], p[3], p[5], p[1], p[3], p[5]),
			"[%s-%s] is no range", p[3], p[5])
	}
	from, err := strconv.Atoi(p[3])
	if err != nil || from >= len(hosts) {
		return nil, outside(p[3])
	}
	to := len(hosts) - 1
	if p[5] != "" {
		if n, err := strconv.Atoi(p[5]); err == nil {
			to = min(n, to)
		}
	}
	if to < from {
		return nil, m.fail(t, "", "[%s:%s] ends before it begins", p[3], p[5])
	}
	return hosts[from : to+1], nil
}

func count(n int) string {
	if n == 1 {
		return "1 host"
	}
	return strconv.Itoa(n) + " hosts"
}

func (m *matcher) host(name string) *Host {
	if bare, ok := strings.CutPrefix(name, "["); ok {
		if addr, ok := strings.CutSuffix(bare, "]"); ok && isAddr(addr) {
			name = addr
		}
	}
	return m.inv.Host(name)
}

// expand reads a name with ranges; ok is false unless all are hosts.
func (m *matcher) expand(t string) (hosts []*Host, ok bool) {
	names, err := expandRanges(t)
	if err != nil {
		return nil, false
	}
	for _, n := range names {
		h := m.host(n)
		if h == nil {
			return nil, false
		}
		hosts = append(hosts, h)
	}
	return hosts, true
}

func isGlob(name string) bool { return strings.ContainsAny(name, "*?[") }

// names matches a name or glob with groups and hosts.
func (m *matcher) names(t, name string) ([]*Host, bool, error) {
	if g := m.inv.Group(name); g != nil {
		return m.view.hosts[g], true, nil
	}
	if h := m.host(name); h != nil {
		return []*Host{h}, true, nil
	}
	if isGlob(name) {
		glob := strings.ReplaceAll(name, "[!", "[^")
		if _, err := path.Match(glob, ""); err != nil {
			return nil, false, m.fail(t, "positions are [0], [-1], [0:2] and [1:]", "%q is not a valid glob", name)
		}
		return m.all(func(n string) bool { ok, _ := path.Match(glob, n); return ok })
	}
	err := m.fail(t, diag.DidYouMean(name, m.inv.allNames()), "there is no host or group %q", name)
	err.Unknown = true
	return nil, false, err
}

func (m *matcher) regexp(t string) ([]*Host, bool, error) {
	re, err := regexp.Compile(`^(?:` + t[1:] + `)`)
	if err != nil {
		return nil, false, m.fail(t, "the syntax is that of Go's package regexp", "cannot read the regular expression %q: %s", t[1:], err)
	}
	return m.all(re.MatchString)
}

// all unites the groups and hosts whose names fit.
func (m *matcher) all(fits func(name string) bool) (out []*Host, matched bool, err error) {
	seen := map[*Host]bool{}
	add := func(hosts ...*Host) {
		matched = true
		for _, h := range hosts {
			if !seen[h] {
				seen[h] = true
				out = append(out, h)
			}
		}
	}
	for _, g := range m.inv.Groups() {
		if fits(g.name) {
			add(m.view.hosts[g]...)
		}
	}
	for _, h := range m.view.order {
		if fits(h.name) {
			add(h)
		}
	}
	return out, matched, nil
}

// allNames lists what a pattern may name, sorted.
func (inv *Inventory) allNames() []string {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	out := append(value.Keys(inv.groups), value.Keys(inv.hosts)...)
	slices.Sort(out)
	return slices.Compact(out)
}
