package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxExpansion is how many hosts one name with ranges may stand for.
const maxExpansion = 100_000

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// expandHost reads a host as inventories write it: name, name:port,
// [IPv6]:port or a bare IPv6 address; the name may have ranges. port is 0 when
// none is given.
func expandHost(text string) (names []string, port int, err error) {
	name, port, err := splitPort(text)
	if err != nil {
		return nil, 0, err
	}
	if names, err = expandRanges(name); err != nil {
		return nil, 0, err
	}
	for _, n := range names {
		if err := checkHostName(n); err != nil {
			return nil, 0, err
		}
	}
	return names, port, nil
}

// splitPort takes the port off. Colons inside brackets belong to ranges.
func splitPort(text string) (name string, port int, err error) {
	if isAddr(text) {
		return text, 0, nil
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if addr, rest, ok := strings.Cut(inner, "]"); ok && isAddr(addr) {
			if rest == "" {
				return addr, 0, nil
			}
			if p, ok := strings.CutPrefix(rest, ":"); ok {
				port, err = parsePort(p)
				return addr, port, err
			}
		}
	}
	colons := outside(text, ':')
	switch len(colons) {
	case 0:
		return text, 0, nil
	case 1:
		name, p := text[:colons[0]], text[colons[0]+1:]
		if p == "" {
			return "", 0, fmt.Errorf("host %q ends in a colon, which stands before a port", text)
		}
		if name == "" {
			return "", 0, fmt.Errorf("there is no host before the port in %q", text)
		}
		port, err = parsePort(p)
		return name, port, err
	}
	return "", 0, fmt.Errorf("%q is neither a host, host:port nor an IPv6 address", text)
}

func isAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func parsePort(s string) (int, error) {
	p, err := strconv.Atoi(s)
	if err != nil || p < 1 || p > 65535 {
		return 0, fmt.Errorf("%q is not a port (1 to 65535)", s)
	}
	return p, nil
}

// outside finds c where it is not in square brackets.
func outside(s string, c byte) []int {
	var at []int
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '[':
			depth++
		case s[i] == ']':
			depth = max(0, depth-1)
		case s[i] == c && depth == 0:
			at = append(at, i)
		}
	}
	return at
}

// expandRanges expands every [begin:end] and [begin:end:step] from left to
// right: web[01:50], db-[a:f:2]. Both ends are included; a begin with a leading
// zero fixes the width, so both ends must be as long.
func expandRanges(text string) ([]string, error) {
	out := []string{""}
	for rest := text; ; {
		head, more, ok := strings.Cut(rest, "[")
		if strings.Contains(head, "]") {
			return nil, fmt.Errorf("%q has a ] without a [", text)
		}
		if !ok {
			return suffix(out, []string{head})
		}
		body, tail, closed := strings.Cut(more, "]")
		if !closed {
			return nil, fmt.Errorf("%q has a [ without a ]", text)
		}
		values, err := rangeValues(body)
		if err != nil {
			return nil, err
		}
		if out, err = suffix(out, []string{head}); err != nil {
			return nil, err
		}
		if out, err = suffix(out, values); err != nil {
			return nil, err
		}
		rest = tail
	}
}

// suffix gives every combination of a start and an end.
func suffix(starts, ends []string) ([]string, error) {
	if len(starts)*len(ends) > maxExpansion {
		return nil, fmt.Errorf("the ranges stand for more than %d hosts", maxExpansion)
	}
	out := make([]string, 0, len(starts)*len(ends))
	for _, s := range starts {
		for _, e := range ends {
			out = append(out, s+e)
		}
	}
	return out, nil
}

var digits = regexp.MustCompile(`^[0-9]+$`)

func rangeValues(body string) ([]string, error) {
	bounds := strings.Split(body, ":")
	if len(bounds) != 2 && len(bounds) != 3 {
		return nil, fmt.Errorf("range [%s] must be [begin:end] or [begin:end:step]", body)
	}
	begin, end, step := bounds[0], bounds[1], 1
	if begin == "" {
		begin = "0"
	}
	if end == "" {
		return nil, fmt.Errorf("range [%s] needs an end", body)
	}
	if len(bounds) == 3 {
		var err error
		if step, err = strconv.Atoi(bounds[2]); err != nil || step < 1 {
			return nil, fmt.Errorf("range [%s]: step %q is not a number from 1 up", body, bounds[2])
		}
	}
	if digits.MatchString(begin) && digits.MatchString(end) {
		return numbers(body, begin, end, step)
	}
	b, e := strings.Index(letters, begin), strings.Index(letters, end)
	if len(begin) != 1 || len(end) != 1 || b < 0 || e < 0 {
		return nil, fmt.Errorf("range [%s] must have two numbers or two single letters", body)
	}
	if b > e {
		return nil, fmt.Errorf("range [%s] ends before it begins", body)
	}
	var out []string
	for ; b <= e; b += step {
		out = append(out, letters[b:b+1])
	}
	return out, nil
}

func numbers(body, begin, end string, step int) ([]string, error) {
	width := 0
	if begin[0] == '0' && len(begin) > 1 {
		if width = len(begin); width != len(end) {
			return nil, fmt.Errorf("range [%s]: with leading zeros both ends must be as long, as in [%s:%0*s]", body, begin, width, end)
		}
	}
	b, err1 := strconv.Atoi(begin)
	e, err2 := strconv.Atoi(end)
	switch {
	case err1 != nil || err2 != nil:
		return nil, fmt.Errorf("range [%s] has a number that is too large", body)
	case b > e:
		return nil, fmt.Errorf("range [%s] ends before it begins", body)
	case (e-b)/step >= maxExpansion:
		return nil, fmt.Errorf("the ranges stand for more than %d hosts", maxExpansion)
	}
	var out []string
	for i := 0; i <= (e-b)/step; i++ {
		out = append(out, fmt.Sprintf("%0*d", width, b+i*step))
	}
	return out, nil
}

// checkHostName refuses what can be no host and would be misread by patterns,
// paths (host_vars) or shells.
func checkHostName(name string) error {
	if name == "" {
		return fmt.Errorf("the host's name is empty")
	}
	if strings.Contains(name, ":") && !isAddr(name) {
		return fmt.Errorf("%q is neither a host, host:port nor an IPv6 address", name)
	}
	return checkName("host", name)
}

// checkGroupName likewise.
func checkGroupName(name string) error {
	if name == "" {
		return fmt.Errorf("the group's name is empty")
	}
	if strings.Contains(name, ":") {
		return fmt.Errorf("a group's name cannot have a colon: %q", name)
	}
	return checkName("group", name)
}

func checkName(kind, name string) error {
	if strings.Contains(name, "{{") {
		return fmt.Errorf("a %s's name cannot be a template: %q", kind, name)
	}
	if strings.ContainsRune("!&~@-.#;", rune(name[0])) {
		return fmt.Errorf("a %s's name cannot begin with %q: %q", kind, name[0], name)
	}
	for _, r := range name {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`/,*?[](){}"'\;|<>$=`+"`", r) {
			return fmt.Errorf("a %s's name cannot have %q in it: %q", kind, r, name)
		}
	}
	return nil
}
